using System.Globalization;

namespace Crashcart.Cli.Output.Runs;

/// <summary>A run in one line on the person's terminal: how many run, are done, have failed, and how much they wrote.</summary>
internal sealed class RunStatus(StatusLine line)
{
    /// <summary>A run that is over sooner needs none.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    /// <summary>The line is shown only when no output came for that long: it would flicker, and the output says that the run goes on.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(150);

    private DateTimeOffset _lastOutput;

    /// <summary>Output comes, which may go to the same terminal.</summary>
    public void Yield(DateTimeOffset now)
    {
        line.Clear();
        _lastOutput = now;
    }

    public void Tick(RunProgress run)
    {
        if (run.Now - run.Began >= Quiet && run.Now - _lastOutput >= Rest && run.Targets.Count > 0)
            line.Show(() => Describe(run));
    }

    public void Clear() => line.Clear();

    internal static string Describe(RunProgress run)
    {
        var waiting = run.Targets.Count - run.Running - run.Well - run.Failed;
        string[] parts =
        [
            $"{run.Running} running", $"{run.Well} done", $"{run.Failed} failed", $"{waiting} waiting",
            ByteSize.Of(run.Bytes), string.Create(CultureInfo.InvariantCulture, $"{(int)(run.Now - run.Began).TotalSeconds} s"),
        ];
        return string.Join(", ", parts.Where(part => !part.StartsWith("0 ", StringComparison.Ordinal) || part == "0 running"));
    }
}
