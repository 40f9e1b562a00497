using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What whoever owns sessions on nodes hears: how they go, and which nodes are lost.</summary>
internal abstract class CourseActor : ReceiveActor, IWithTimers
{
    public ITimerScheduler Timers { get; set; } = null!;

    protected abstract RunSessions Sessions { get; }

    /// <summary>Before anything is known, so that no node is lost unnoticed between what it answered and its first session.</summary>
    protected override void PreStart() => Cluster.Get(Context.System).Subscribe(
        Self,
        ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
        typeof(ClusterEvent.MemberDowned),
        typeof(ClusterEvent.MemberRemoved),
        typeof(ClusterEvent.MemberUp));

    protected override void PostStop() => Cluster.Get(Context.System).Unsubscribe(Self);

    protected void ReceiveMembers()
    {
        Receive<ClusterEvent.MemberDowned>(downed => Sessions.OnNodeLost(downed.Member));
        Receive<ClusterEvent.MemberRemoved>(removed => Sessions.OnNodeLost(removed.Member));
        Receive<ClusterEvent.MemberUp>(up => Sessions.OnNodeUp(up.Member));
    }

    protected void ReceiveSessions()
    {
        Receive<RunSessions.Admitted>(Sessions.On);
        Receive<RunSessions.NotAdmitted>(Sessions.On);
        Receive<Run.StreamBegan>(Sessions.On);
        Receive<Run.StreamExited>(Sessions.On);
        Receive<Run.StreamLost>(Sessions.On);
        Receive<Run.OutputFull>(Sessions.On);
        Receive<Run.RecordingFailed>(Sessions.On);
        Receive<SessionAccepted>(_ => { });
        Receive<SessionWaits>(Sessions.On);
        Receive<SessionRuns>(Sessions.On);
        Receive<SessionOver>(Sessions.On);
        Receive<RunSessions.StartIsLate>(Sessions.On);
        Receive<RunSessions.SessionIsLate>(Sessions.On);
    }

    protected void After(TimeSpan delay, object step) => Timers.StartSingleTimer(step.GetType(), step, delay);
}
