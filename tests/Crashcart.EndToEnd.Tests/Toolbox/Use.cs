using System.Buffers;
using System.Runtime.InteropServices;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>One thing that a person does with a tool.</summary>
/// <param name="Tools">The tools that it shows to work, parted by blanks.</param>
/// <param name="Line">A command line; with a shell's signs in it, bash runs it.</param>
/// <param name="Holds">Each is in what it writes.</param>
internal sealed record Use(string Tools, string Line, params string[] Holds)
{
    private static readonly SearchValues<char> ShellSigns = SearchValues.Create("|&;<>()$`\\\"'*?[]{}~#!\n");

    public int Status { get; init; }

    /// <summary>The one architecture that has the tool; null is all.</summary>
    public Architecture? Only { get; init; }

    /// <summary>Standard input.</summary>
    public string Input { get; init; } = "";

    /// <summary>It traces the container's first process, which one tracer at a time can.</summary>
    public bool Attaches { get; init; }

    /// <summary>For <c>crashcart exec --profile</c>; null is its default.</summary>
    public string? Profile { get; init; }

    /// <summary>Where the kernel or the container's rules forbid it, and what the tool says there.</summary>
    public IReadOnlyList<Refusal> Refusals { get; init; } = [];

    public static bool NeedsShell(string line) => line.AsSpan().IndexOfAny(ShellSigns) >= 0;

    /// <summary>The tool and its arguments.</summary>
    public string[] Words => NeedsShell(Line) ? ["bash", "-c", Line] : Line.Split(' ');

    /// <summary>What is expected at a place.</summary>
    public (int Status, IReadOnlyList<string> Holds) Expected(UsePlace place) =>
        Refusals.FirstOrDefault(refusal => refusal.Where(place)) is { } refused ? (refused.Status, refused.Says) : (Status, Holds);

    public override string ToString() => Line;
}

/// <summary>A use that cannot succeed somewhere.</summary>
/// <param name="Where">The places.</param>
/// <param name="Reason">Why, for the reader of the table.</param>
/// <param name="Status">The tool's exit status there.</param>
/// <param name="Says">Each is in what it writes there.</param>
internal sealed record Refusal(Func<UsePlace, bool> Where, string Reason, int Status, params string[] Says);

/// <summary>A kind of container, and the road into it.</summary>
internal sealed record UsePlace(ContainerKind Kind, Road Road)
{
    public override string ToString() => $"{Kind} by {(Road == Road.CrashcartExec ? "crashcart exec" : "docker exec")}";
}
