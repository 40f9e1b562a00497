using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>One line on standard error that is written over and over, when that is a terminal; otherwise nothing.</summary>
internal sealed class StatusLine(Action<string> write, bool isTerminal)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private long _last;

    public bool IsShown { get; private set; }

    public static StatusLine OnStandardError { get; } = new(StandardText.Error, UserTerminal.IsTerminal(2));

    /// <summary>Shows the text in place of the last one, unless that has only just been shown.</summary>
    public void Show(Func<string> text)
    {
        if (!isTerminal || (IsShown && TimeProvider.System.GetElapsedTime(_last) < Interval))
            return;
        var line = SafeText.Of(text());
        // A line that the terminal breaks could not be written over.
        var width = UserTerminal.Size.Columns - 1;
        write($"\r\e[K{line[..Math.Min(line.Length, width)]}");
        _last = TimeProvider.System.GetTimestamp();
        IsShown = true;
    }

    /// <summary>Takes it away, for what is to stand in its place.</summary>
    public void Clear()
    {
        if (!IsShown)
            return;
        write("\r\e[K");
        IsShown = false;
    }
}
