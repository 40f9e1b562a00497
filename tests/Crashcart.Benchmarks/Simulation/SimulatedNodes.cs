using System.Globalization;
using Akka.Actor;
using Akka.Configuration;
using Crashcart.Actors;
using Crashcart.Actors.Node;

namespace Crashcart.Benchmarks.Simulation;

/// <summary>
/// A process that is many nodes: each has an actor system of its own, and so an address and connections, and answers there by
/// the product's remoting and serializers. There are no containers and no kernel behind it.
/// </summary>
internal static class SimulatedNodes
{
    /// <summary>What members of a cluster do among themselves is no part of a request; threads are shared, or a thousand nodes need ten thousand.</summary>
    private static readonly Config Light = ConfigurationFactory.ParseString("""
        akka.actor.provider = remote
        akka.remote {
          use-dispatcher = akka.actor.default-dispatcher
          backoff-remote-dispatcher { type = Dispatcher, executor = thread-pool-executor }
          dot-netty.tcp {
            server-socket-worker-pool { pool-size-min = 1, pool-size-max = 1 }
            client-socket-worker-pool { pool-size-min = 1, pool-size-max = 1 }
          }
        }
        """);

    /// <summary>Says their ports on standard output; then each line that it reads asks for the number of messages that came and went.</summary>
    public static async Task Serve(int first, int count)
    {
        var config = Light.WithFallback(new ClusterSettings("127.0.0.1", 0, [ClusterSettings.NodeRole], []).ToConfig());
        var counter = new MessageCounter();
        foreach (var number in Enumerable.Range(first, count))
        {
            var system = ActorSystem.Create(ClusterSettings.SystemName, config);
            system.ActorOf(SimulatedNode.Props(number, counter), NodeActor.Name);
            Say(((ExtendedActorSystem)system).Provider.DefaultAddress.Port!.Value);
        }

        while (await Console.In.ReadLineAsync() is not null)
            Say(counter.Total);
    }

    private static void Say(long number) => Console.WriteLine(number.ToString(CultureInfo.InvariantCulture));
}

/// <summary>Messages of the protocol that a process took and gave.</summary>
internal sealed class MessageCounter
{
    private long _total;

    public long Total => Interlocked.Read(ref _total);

    public void One() => Interlocked.Increment(ref _total);
}
