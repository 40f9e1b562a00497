using Akka.Actor;
using Akka.Cluster;

namespace Crashcart.Actors.Downing;

/// <summary>Made by Akka, by the name in the configuration.</summary>
/// <remarks>https://getakka.net/articles/clustering/split-brain-resolver.html</remarks>
public sealed class CoordinatorDowning(ActorSystem system, Cluster cluster) : IDowningProvider
{
    private readonly TimeSpan _stableAfter = system.Settings.Config.GetTimeSpan("crashcart.downing.stable-after");
    private readonly TimeSpan _joinWithin = system.Settings.Config.GetTimeSpan("crashcart.downing.join-within");

    public TimeSpan DownRemovalMargin => _stableAfter;

    public Props DowningActorProps => DowningActor.Props(cluster, _stableAfter, _joinWithin);
}
