using Crashcart.Api;
using Crashcart.Native;
using TerminalSize = Crashcart.Native.TerminalSize;

namespace Crashcart.Cli.Commands;

/// <summary>What to run and how, as the command line says it; the same for this host and for a fleet.</summary>
internal sealed record SessionRequest
{
    /// <summary>As a node has it by default.</summary>
    private const int MostProcesses = 1024;

    /// <summary>The tool and its arguments.</summary>
    public required IReadOnlyList<string> Tool { get; init; }

    /// <summary>Give the tool a terminal.</summary>
    public bool Terminal { get; init; }

    public string? User { get; init; }

    public string? WorkingDirectory { get; init; }

    /// <summary>NAME=VALUE</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    public string Profile { get; init; } = "debug";

    public IReadOnlyList<string> CapAdd { get; init; } = [];

    public IReadOnlyList<string> CapDrop { get; init; } = [];

    public bool Shared { get; init; }

    /// <summary>Bytes.</summary>
    public long? Memory { get; init; }

    /// <summary>Billionths of one processor's time.</summary>
    public long? NanoCpus { get; init; }

    public TimeSpan? Timeout { get; init; }

    /// <summary>Run nothing, and say what the tool would be allowed.</summary>
    public bool Explain { get; init; }

    /// <summary>What it is for.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What a tool must know of the person's terminal; everything else of our environment stays here.</summary>
    public static IReadOnlyList<string> TerminalType(bool terminal) =>
        terminal && System.Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } term ? [$"TERM={term}"] : [];

    /// <summary>The same for <see cref="ToolProcess"/>.</summary>
    public ToolSpec ToSpec(TerminalSize size) => new()
    {
        Arguments = Tool,
        Terminal = Terminal ? size : null,
        User = User,
        WorkingDirectory = WorkingDirectory,
        Environment = Environment,
        Profile = Profile,
        CapAdd = CapAdd,
        CapDrop = CapDrop,
        Shared = Shared,
        Limits = new SessionLimits(Memory, CheapProcesses: MostProcesses, NanoCpus: NanoCpus),
        SessionName = ToolSpec.NameOfThisProcess,
    };

    /// <summary>The same for a coordinator.</summary>
    /// <param name="stdin">Whether the tool's standard input comes from here; else it is empty.</param>
    public Tool ToTool(TerminalSize size, bool stdin)
    {
        var tool = new Tool
        {
            Argv = { Tool },
            User = User ?? "",
            WorkingDirectory = WorkingDirectory ?? "",
            Environment = { Environment },
            Stdin = stdin,
            Profile = Profile,
            CapAdd = { CapAdd },
            CapDrop = { CapDrop },
            Shared = Shared,
            MemoryLimit = Memory ?? 0,
            NanoCpus = NanoCpus ?? 0,
            Explain = Explain,
        };
        if (Terminal)
            tool.Terminal = new Api.TerminalSize { Rows = size.Rows, Columns = size.Columns };
        return tool;
    }
}
