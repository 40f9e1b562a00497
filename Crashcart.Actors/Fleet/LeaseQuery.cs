using Akka.Actor;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What the coordinator's front asks of the fleet about mounts and sessions. All of it stays in one process.</summary>
public static class LeaseQuery
{
    /// <summary>Answered by <see cref="Found"/>.</summary>
    /// <param name="Node">A glob with * and ?; empty is every node.</param>
    public sealed record List(string Selector, string Node) : INoSerializationVerificationNeeded
    {
        /// <summary>What is in other containers is not told.</summary>
        public TargetAccess Access { get; init; } = TargetAccess.All;
    }

    public sealed record Found(IReadOnlyList<LeasesFound> Nodes, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;

    /// <summary>About the mounts in every target; answered by <see cref="Changed"/> or <see cref="Rejected"/>.</summary>
    /// <param name="Holder">Who asks; for people.</param>
    /// <param name="Path">Where in the containers; empty is /dev/crashcart.</param>
    public abstract record Change(RunTargets Targets, string Holder, string Path) : INoSerializationVerificationNeeded
    {
        /// <summary>Other containers are no targets.</summary>
        public TargetAccess Access { get; init; } = TargetAccess.All;

        /// <summary>For the nodes' audit logs.</summary>
        public Origin Origin { get; init; } = new();
    }

    /// <summary>Mount the image in every target.</summary>
    /// <param name="Image">Null: the file that each node was given; the port knows what is used where there is none.</param>
    public sealed record Mount(RunTargets Targets, string Holder, WantedImage? Image, IMountPort Port, string Path = "")
        : Change(Targets, Holder, Path);

    /// <summary>Take the mounts away.</summary>
    /// <param name="Force">Also where they are used.</param>
    public sealed record Unmount(RunTargets Targets, string Holder, bool Force, string Path = "") : Change(Targets, Holder, Path);

    public sealed record Changed(IReadOnlyList<ChangedMount> Mounts, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;

    /// <summary>The request names nothing, or more than one thing.</summary>
    public sealed record Rejected(bool NotFound, string Message) : INoSerializationVerificationNeeded;

    /// <summary>End a session, or all sessions of a run; answered by <see cref="Killed"/> or <see cref="Rejected"/>.</summary>
    /// <param name="Id">Of a run also its beginning.</param>
    /// <param name="By">Who asks; for people.</param>
    public sealed record Kill(string Id, string By) : INoSerializationVerificationNeeded
    {
        /// <summary>Sessions in other containers go on, but those of <see cref="Runs"/>.</summary>
        public TargetAccess Access { get; init; } = TargetAccess.All;

        /// <summary>These end wherever they are.</summary>
        public RunAccess Runs { get; init; } = RunAccess.All;
    }

    /// <summary>End one session on the node that has it.</summary>
    /// <param name="Why">One sentence for the session's client.</param>
    public sealed record EndOne(string Node, string SessionId, string Why) : INoSerializationVerificationNeeded;

    /// <param name="Run">Null when it was not a run that ends.</param>
    /// <param name="Sessions">Those that were told to end; they end within seconds.</param>
    public sealed record Killed(RunId? Run, IReadOnlyList<(string Node, HeldSession Session)> Sessions, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;
}

/// <summary>What became of the mount in one container.</summary>
/// <param name="Problem">One sentence; empty when it is as it was asked for.</param>
/// <param name="WasMounted">For one that was to be taken away: it was there.</param>
public sealed record ChangedMount(RunTarget Target, string Problem, string LeaseId, bool WasMounted);
