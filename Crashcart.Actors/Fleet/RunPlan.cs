using System.Diagnostics.CodeAnalysis;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What a client asked for.</summary>
public sealed record RunPlan(RunId Id, RunTargets Targets, ToolDescription Tool)
{
    public FanOut FanOut { get; init; } = FanOut.AllAtOnce;

    /// <summary>For each session; null means none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>For the whole run; null means none.</summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Null: the file that each node was given; the port knows what is used where there is none.</summary>
    public WantedImage? Image { get; init; }

    public RunMode Mode { get; init; } = RunMode.Once;

    /// <summary>Where its user may run it.</summary>
    public TargetAccess Access { get; init; } = TargetAccess.All;

    /// <summary>Nothing starts before the client has seen the targets and says <see cref="Run.Begin"/>.</summary>
    public bool Asks { get; init; }

    /// <summary>Who asks, as policies write it.</summary>
    public string By { get; init; } = "";

    /// <summary>Null: the run ends with its client, who takes all output.</summary>
    public RunKeep? Keep { get; init; }

    /// <summary>Which of the containers that were found the run is for.</summary>
    /// <returns>False: the run makes no sense.</returns>
    internal bool TryChoose(FleetQuery.Containers found, out IReadOnlyList<RunTarget> targets, [NotNullWhen(false)] out RunEvent.Rejected? rejection)
    {
        targets = Targets is RunTargets.Selected selected ? selected.Choose(found.All) : found.All;
        if (Targets is RunTargets.One one && !SingleTarget.TryChoose(one, found, out targets, out rejection))
            return false;
        rejection = Tool.Stdin && FanOut.IsStaggered(targets.Count)
            ? new RunEvent.Rejected(
                NotFound: false,
                $"Standard input goes to all {targets.Count} containers at the same time, but not all may run at a time; give no input, or no limit.")
            : null;
        return rejection is null;
    }
}

/// <summary>The run outlives its client: nodes keep what its tools write, and how they end.</summary>
/// <param name="MaxBytes">Of each session's output; a tool that writes more is ended.</param>
public sealed record RunKeep(long MaxBytes);

/// <summary>What becomes of a run when its targets are known.</summary>
public enum RunMode
{
    /// <summary>The tool runs in them.</summary>
    Once,

    /// <summary>And in containers that start and match while the run lasts, which is until its client or its deadline ends it.</summary>
    Follow,

    /// <summary>The client is told them, and that is all.</summary>
    DryRun,
}

/// <summary>Which containers a run is for.</summary>
public abstract record RunTargets
{
    private RunTargets()
    {
    }

    /// <summary>Exactly one container, by name or id prefix.</summary>
    /// <param name="Node">Null: whichever node has it.</param>
    public sealed record One(string? Node, string Container) : RunTargets
    {
        /// <summary>Reads NODE/CONTAINER, CONTAINER, or /CONTAINER, as Docker's own answers spell it.</summary>
        public static One Parse(string text)
        {
            int slash = text.IndexOf('/', StringComparison.Ordinal);
            return new One(slash > 0 ? text[..slash] : null, text[(slash + 1)..]);
        }

        public override string ToString() => Node is null ? Container : $"{Node}/{Container}";
    }

    /// <summary>Every container that the labels select, on the nodes that the glob names.</summary>
    /// <param name="Node">With * and ?; empty is every node.</param>
    public sealed record Selected(string Selector, string Node) : RunTargets
    {
        public ContainerFilter Filter { get; init; } = ContainerFilter.Any;

        /// <summary>Null: all that match.</summary>
        public TargetSample? Sample { get; init; }

        /// <summary>At most so many, the first by node and name; 0 means no limit.</summary>
        public int Limit { get; init; }

        public IReadOnlyList<RunTarget> Choose(IReadOnlyList<RunTarget> matching)
        {
            IReadOnlyList<RunTarget> drawn = Sample?.Draw(matching) ?? matching;
            return Limit > 0 ? [.. drawn.Take(Limit)] : drawn;
        }
    }
}

/// <summary>One container of a run, and the node that has it.</summary>
public sealed record RunTarget(string Node, Akka.Actor.Address Address, ContainerDescription Container)
{
    /// <summary>The node was given no image file.</summary>
    public bool LacksImage { get; init; }
}

/// <summary>A node that was asked and did not answer, or could not.</summary>
public sealed record SilentNode(string Node, string Problem);

/// <summary>How one session of a run ended.</summary>
public abstract record SessionOutcome
{
    private SessionOutcome()
    {
    }

    /// <param name="Code">0 to 255; 128 + N when signal N ended the tool.</param>
    /// <param name="Why">The tool was ended from outside: one sentence; empty when it ended by itself.</param>
    public sealed record Exited(int Code, string Why = "") : SessionOutcome;

    /// <summary>Of a session that is read later: what there is was read, and the tool runs.</summary>
    public sealed record GoesOn : SessionOutcome;

    /// <summary>The tool was not started, or its session was lost.</summary>
    /// <param name="Code">124 timed out, 125 not reached or lost, 126 not executable, 127 not found.</param>
    /// <param name="Message">One sentence.</param>
    public sealed record Failure(int Code, string Message) : SessionOutcome;
}
