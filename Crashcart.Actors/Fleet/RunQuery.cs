using Akka.Actor;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What the coordinator's front asks of the fleet about runs. All of it stays in one process.</summary>
public static class RunQuery
{
    /// <summary>Runs that go on, and runs that are kept; answered by <see cref="Found"/>.</summary>
    /// <param name="Id">Of one, or its beginning; empty is all.</param>
    public sealed record List(string Id) : INoSerializationVerificationNeeded
    {
        /// <summary>Others are not told.</summary>
        public RunAccess Access { get; init; } = RunAccess.All;
    }

    /// <param name="Runs">The newest first.</param>
    public sealed record Found(IReadOnlyList<RunFacts> Runs, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;

    /// <summary>Read what is kept of a run; answered by <see cref="FleetQuery.RunAccepted"/>, everything else is told to the port.</summary>
    public sealed record StartReplay(ReplayPlan Replay, IRunPort Port) : INoSerializationVerificationNeeded;

    /// <summary>Forget what is kept of a run; answered by <see cref="Removed"/> or <see cref="Rejected"/>.</summary>
    /// <param name="Id">Or its beginning.</param>
    public sealed record Remove(string Id) : INoSerializationVerificationNeeded
    {
        /// <summary>Others are not found.</summary>
        public RunAccess Access { get; init; } = RunAccess.All;
    }

    /// <param name="Silent">Nodes that keep it still, or may.</param>
    public sealed record Removed(RunId Run, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;

    /// <summary>There is no such run, or it is not to be done.</summary>
    public sealed record Rejected(bool NotFound, string Message) : INoSerializationVerificationNeeded;

    /// <summary>Put a question to every node; answered by <see cref="NodesSaid"/>.</summary>
    internal sealed record AskNodes(Func<string, IQuestion> Question) : INoSerializationVerificationNeeded;

    internal sealed record NodesSaid(IReadOnlyDictionary<Address, IWireMessage> Answers, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;
}

/// <summary>A reading of what is kept of a run.</summary>
/// <param name="Run">Its id, or the beginning of it.</param>
/// <param name="Follow">Until its end.</param>
/// <param name="EndsOnly">Without the output.</param>
public sealed record ReplayPlan(string Run, bool Follow, bool EndsOnly)
{
    /// <summary>Others are not found.</summary>
    public RunAccess Access { get; init; } = RunAccess.All;
}
