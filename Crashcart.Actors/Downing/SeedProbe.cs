using Akka.Actor;
using Akka.Configuration;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Downing;

/// <summary>
/// Asks coordinators that are not in one's own cluster what they are, from an actor system of its own: two systems that have
/// removed each other from their clusters refuse each other's messages for as long as they live, and this one is unknown to
/// them.
/// </summary>
internal sealed class SeedProbe : IDisposable
{
    private readonly ActorSystem _system;
    private readonly IActorRef _asker;

    /// <param name="told">Gets a <see cref="Coordinator"/> for each that answers.</param>
    public SeedProbe(ClusterSettings settings, IActorRef told)
    {
        _system = ActorSystem.Create(
            ClusterSettings.SystemName,
            (settings with { Port = 0 }).ToSetup("akka.actor.provider = remote"));
        _asker = _system.ActorOf(Props.Create(() => new Asker(told)));
    }

    public void Ask(IEnumerable<Address> coordinators) => _asker.Tell(new Question([.. coordinators]));

    public void Dispose() => _system.Terminate();

    private sealed record Question(IReadOnlyList<Address> Coordinators) : INoSerializationVerificationNeeded;

    private sealed class Asker : ReceiveActor
    {
        // Unguessable: only who was asked can answer.
        private Dictionary<string, Address> _asked = [];

        public Asker(IActorRef told)
        {
            Receive<Question>(question =>
            {
                _asked = question.Coordinators.ToDictionary(_ => Guid.NewGuid().ToString("N"));
                foreach (var (id, coordinator) in _asked)
                    Context.ActorSelection(new RootActorPath(coordinator) / "user" / SeedWatch.Name).Tell(new DescribeCoordinator { CorrelationId = id });
            });
            Receive<CoordinatorDescribed>(answer =>
            {
                if (_asked.Remove(answer.CorrelationId, out var coordinator))
                    told.Tell(new SeedWatch.Heard(new Coordinator(coordinator, answer.Members)));
            });
        }
    }
}
