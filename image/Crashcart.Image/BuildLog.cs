namespace Crashcart.Image;

/// <summary>
/// What a build says while it runs: a line a step, and on a terminal, between them, one line that is written over.
/// </summary>
/// <param name="writer">Where to.</param>
/// <param name="isTerminal">Whether that shows the line that is written over.</param>
/// <param name="width">Of the terminal, in columns.</param>
public sealed class BuildLog(TextWriter writer, bool isTerminal = false, int width = 80)
{
    private const string Erase = "\r\e[K";

    private readonly Lock _lock = new();
    private bool _shown;

    /// <summary>Says nothing.</summary>
    public static BuildLog Silent { get; } = new(TextWriter.Null);

    public bool IsTerminal => isTerminal;

    /// <summary>A line that stays.</summary>
    public void Step(string text)
    {
        lock (_lock)
        {
            Hide();
            writer.WriteLine(text);
            writer.Flush();
        }
    }

    /// <summary>A line that the next one takes the place of; not shown where that is impossible.</summary>
    public void Live(string text)
    {
        if (!isTerminal)
            return;
        lock (_lock)
        {
            Hide();
            writer.Write(text.Length < width ? text : text[..(width - 1)]);
            writer.Flush();
            _shown = true;
        }
    }

    /// <summary>Takes the line away that is written over.</summary>
    public void End()
    {
        lock (_lock)
            Hide();
    }

    private void Hide()
    {
        if (!_shown)
            return;
        writer.Write(Erase);
        writer.Flush();
        _shown = false;
    }
}
