namespace Crashcart.Native;

/// <summary>What to run in a target, and as whom.</summary>
public sealed record ToolSpec
{
    /// <summary>The tool and its arguments; never empty. A tool without a slash is looked up.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>NAME=VALUE additions to the clean environment that every tool starts with.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>USER[:GROUP] by the container's own /etc/passwd and /etc/group, or numbers; null is root.</summary>
    public string? User { get; init; }

    /// <summary>Null is "/".</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Present: the tool gets a terminal from the target's devpts.</summary>
    public TerminalSize? Terminal { get; init; }

    /// <summary>restricted, debug, privileged, or the name of the <see cref="Definition"/>.</summary>
    public string Profile { get; init; } = "debug";

    /// <summary>Null: the profile is one of the built-in ones.</summary>
    public ToolProfile? Definition { get; init; }

    public IReadOnlyList<string> CapAdd { get; init; } = [];

    public IReadOnlyList<string> CapDrop { get; init; } = [];

    /// <summary>Run under the container's shared mount (made when absent, and then removed at the end) in place of a private one.</summary>
    public bool Shared { get; init; }

    /// <summary>Limits of the session's cgroup; null fields are not limited.</summary>
    public SessionLimits Limits { get; init; } = new();

    /// <summary>Path of the session's cgroup below <c>crashcart/</c> in every hierarchy: letters, digits, <c>-_./</c>.</summary>
    public required string SessionName { get; init; }

    /// <summary>Of the built-in profiles the one that is meant, or is built upon.</summary>
    internal string BaseProfile => Definition?.Base ?? Profile;

    /// <summary>For a process that has one session and no name of its own.</summary>
    public static string NameOfThisProcess => ProcessName.OfThisProcess.ToString();
}

/// <param name="MemoryBytes">memory.max (v2), memory.limit_in_bytes (v1)</param>
/// <param name="Processes">pids.max</param>
/// <param name="CheapProcesses">
/// The same, but only where it costs nothing: in v2, whose cgroup the tool is born in, or in v1 when another limit moves the session there anyway.
/// </param>
/// <param name="NanoCpus">
/// Processor time that all of the session's processes together get, in billionths of one processor's:
/// cpu.max (v2), cpu.cfs_quota_us (v1).
/// </param>
public sealed record SessionLimits(long? MemoryBytes = null, int? Processes = null, int? CheapProcesses = null, long? NanoCpus = null)
{
    /// <summary>A hundredth of a processor: the kernel shares out no less than a millisecond of each tenth of a second.</summary>
    public const long LeastNanoCpus = 10_000_000;

    /// <summary>As many processors as Linux can have.</summary>
    public const long MostNanoCpus = 8192 * 1_000_000_000L;
}

/// <summary>Rows and columns, in characters.</summary>
public readonly record struct TerminalSize(ushort Rows, ushort Columns);

/// <summary>Where the tool's standard streams go.</summary>
public enum ToolStreams
{
    /// <summary>The tool inherits descriptors 0, 1 and 2 of this process; nothing is copied.</summary>
    Inherit,

    /// <summary>Standard input is empty; output and errors come by pipes.</summary>
    OutputPipes,

    /// <summary>All three are pipes.</summary>
    Pipes,

    /// <summary>A terminal: one stream both ways.</summary>
    Terminal,
}

/// <summary>How a tool ended.</summary>
/// <param name="Code">0 to 255; 128 + signal when a signal ended it.</param>
/// <param name="Signal">The signal, or 0.</param>
public readonly record struct ToolExit(int Code, int Signal);
