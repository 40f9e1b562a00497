using Crashcart.Native;
namespace Crashcart.Cli.Output.Runs;

/// <summary>How one target of a run has fared so far.</summary>
/// <param name="Number">Its index in the run.</param>
/// <param name="Node">Of the fleet.</param>
/// <param name="Container">Its name, or the beginning of its id when it has none.</param>
internal sealed record TargetCourse(int Number, string Node, string Container)
{
    /// <summary>NODE/CONTAINER, as a person types it; harmless to a terminal.</summary>
    public string Name { get; } = SafeText.Of($"{Node}/{Container}");

    public long OutputBytes { get; set; }

    public long ErrorBytes { get; set; }

    public DateTimeOffset? Started { get; set; }

    public DateTimeOffset? Ended { get; set; }

    /// <summary>The tool's own, or 128 + N; crashcart's own number where <see cref="Failure"/> says why.</summary>
    public int ExitCode { get; set; }

    /// <summary>Why the tool was not run, or not to its end.</summary>
    public string? Failure { get; set; }

    /// <summary>Why the tool was ended, when somebody else did; empty otherwise.</summary>
    public string Note { get; set; } = "";

    /// <summary>Its output was read later, as far as there was any, and the tool runs.</summary>
    public bool GoesOn { get; set; }

    public bool IsEnded => Ended is not null;

    public bool IsWell => IsEnded && Failure is null && ExitCode == 0;

    /// <summary>From the tool's start to its end, or to the time given.</summary>
    public TimeSpan Took(DateTimeOffset now) => Started is { } started ? (Ended ?? now) - started : TimeSpan.Zero;

    /// <summary>One sentence for who did not end well.</summary>
    public string Problem => Failure ?? $"Exit status {ExitCode}. {Note}".TrimEnd();
}
