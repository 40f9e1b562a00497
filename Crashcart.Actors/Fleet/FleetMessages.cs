using Akka.Actor;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What the coordinator's front asks of the fleet. All of it stays in one process.</summary>
public static class FleetQuery
{
    /// <summary>Answered by <see cref="Nodes"/>.</summary>
    public sealed record ListNodes : INoSerializationVerificationNeeded;

    public sealed record Nodes(IReadOnlyList<NodeStatus> All) : INoSerializationVerificationNeeded;

    /// <summary>Answered by <see cref="Containers"/>.</summary>
    /// <param name="Node">A glob with * and ?; empty is every node.</param>
    /// <param name="Container">A name or the beginning of an id; empty is every container.</param>
    public sealed record ListContainers(string Selector, string Node, string Container = "") : INoSerializationVerificationNeeded
    {
        public ContainerFilter Filter { get; init; } = ContainerFilter.Any;

        /// <summary>No others are told.</summary>
        public TargetAccess Access { get; init; } = TargetAccess.All;

        public static ListContainers For(RunTargets targets, TargetAccess access) => targets switch
        {
            RunTargets.Selected selected => new ListContainers(selected.Selector, selected.Node) { Filter = selected.Filter, Access = access },
            RunTargets.One one => new ListContainers("", one.Node ?? "", one.Container) { Access = access },
            _ => throw new ArgumentOutOfRangeException(nameof(targets)),
        };
    }

    public sealed record Containers(IReadOnlyList<RunTarget> All, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;

    /// <summary>Answered by <see cref="Cordoned"/>.</summary>
    /// <param name="Node">Its whole name.</param>
    /// <param name="IsCordoned">It is to take no new sessions.</param>
    /// <param name="Grace">Null: sessions that run go on; else they end within that time.</param>
    public sealed record Cordon(string Node, bool IsCordoned, TimeSpan? Grace) : INoSerializationVerificationNeeded;

    /// <param name="Problem">Empty when it is done.</param>
    /// <param name="IsKnown">There is such a node.</param>
    public sealed record Cordoned(bool IsKnown, string Problem) : INoSerializationVerificationNeeded;

    /// <summary>Answered by <see cref="AuditLines"/>.</summary>
    /// <param name="Node">Its whole name.</param>
    public sealed record ReadAudit(string Node, FindAudit Question) : INoSerializationVerificationNeeded;

    /// <param name="Problem">Empty when the node has answered.</param>
    /// <param name="IsKnown">There is such a node.</param>
    public sealed record AuditLines(IReadOnlyList<string> Lines, bool IsKnown, string Problem) : INoSerializationVerificationNeeded;

    /// <summary>Answered by <see cref="RunAccepted"/>; everything else is told to the port.</summary>
    public sealed record StartRun(RunPlan Plan, IRunPort Port) : INoSerializationVerificationNeeded;

    public sealed record RunAccepted(IActorRef Run) : INoSerializationVerificationNeeded;

    /// <summary>For a run of this coordinator's; one that is over needs none.</summary>
    public sealed record SignalRun(string Run, Run.Signal Signal) : INoSerializationVerificationNeeded;
}

/// <summary>One member of the cluster that is a node.</summary>
/// <param name="State">joining, up, cordoned, draining, leaving, unreachable</param>
/// <param name="Description">Null when it did not answer; then <paramref name="Problem"/> says why.</param>
public sealed record NodeStatus(string Name, Address Address, string State, NodeDescribed? Description, string Problem);

/// <summary>What is told to a run's actor by the streams of its sessions and by its client.</summary>
public static class Run
{
    /// <summary>The tool runs.</summary>
    public sealed record StreamBegan(int Target) : INoSerializationVerificationNeeded;

    /// <summary>The exit frame came, after all output.</summary>
    public sealed record StreamExited(int Target, SessionOutcome Outcome) : INoSerializationVerificationNeeded;

    /// <summary>The stream broke before its exit frame.</summary>
    public sealed record StreamLost(int Target) : INoSerializationVerificationNeeded;

    /// <summary>A session wrote as much as one may.</summary>
    public sealed record OutputFull(int Target) : INoSerializationVerificationNeeded;

    /// <summary>The policy asks for a recording of a session, and it cannot be gone on with.</summary>
    /// <param name="Why">One sentence.</param>
    public sealed record RecordingFailed(int Target, string Why) : INoSerializationVerificationNeeded;

    /// <summary>The client has seen the targets of a run that waits for that, and wants it.</summary>
    public sealed record Begin : INoSerializationVerificationNeeded;

    /// <summary>A Linux signal for every tool that runs. One that asks for an end also lets no more of them start.</summary>
    public sealed record Signal(int Number) : INoSerializationVerificationNeeded;

    /// <summary>The client is there no more. A run that is not kept ends, with every session.</summary>
    public sealed record ClientLeft : INoSerializationVerificationNeeded;

    /// <summary>Somebody wants no more of it: every session ends, and then the run.</summary>
    /// <param name="Why">One sentence for the client.</param>
    public sealed record Cancel(string Why) : INoSerializationVerificationNeeded;
}
