using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Crashcart.Actors.Downing;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Remoting;
using Google.Protobuf;

namespace Crashcart.Actors;

/// <summary>What makes a process a member: one place for the settings of nodes and coordinators.</summary>
/// <param name="Host">The address that remoting listens on and is known by.</param>
/// <param name="Port">0 takes any free port; null opens none: a cluster of this process alone.</param>
/// <param name="Roles">Of <see cref="NodeRole"/> and <see cref="CoordinatorRole"/>.</param>
/// <param name="Seeds">HOST:PORT of members to join by; empty: the process begins a cluster of its own.</param>
public sealed record ClusterSettings(string Host, int? Port, IReadOnlyList<string> Roles, IReadOnlyList<string> Seeds)
{
    /// <summary>Every member's actor system has this name: it is part of the addresses.</summary>
    public const string SystemName = "crashcart";

    public const string NodeRole = "node";

    public const string CoordinatorRole = "coord";

    /// <summary>A node's dispatcher for work that is not the cluster's.</summary>
    public const string WorkDispatcher = "crashcart.work-dispatcher";

    /// <summary>How often a coordinator looks whether the seeds are in its cluster.</summary>
    public TimeSpan SeedWatchInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Null: members speak in the clear, and take whoever connects for a member.</summary>
    public IMemberIdentity? Identity { get; init; }

    internal IEnumerable<Address> SeedAddresses => Seeds.Select(seed => Address.Parse($"{AddressScheme}://{SystemName}@{seed}"));

    private string AddressScheme => Identity is null ? "akka.tcp" : TlsTransport.AddressScheme;

    /// <summary>The name of one of the sections below.</summary>
    private string Transport => (Port, Identity) switch
    {
        (null, _) => "alone",
        (_, null) => "dot-netty.tcp",
        _ => "tls",
    };

    /// <summary>Where remote messages may go; untrusted mode drops all others.</summary>
    private static readonly string[] TrustedPaths =
        ["/user/node", "/user/node/sessions", "/user/fleet", "/user/images", "/user/" + FleetRecordingsActor.Name, "/user/" + SeedWatch.Name, "/user/" + RevocationsActor.Name, "/system/cluster/core/daemon", "/system/cluster/heartbeatReceiver"];

    /// <summary>Akka's serializers that would read what a peer likes, and the numbers by which a peer names them.</summary>
    private static readonly (string Name, int Identifier)[] Denied =
        [("json", 1), ("proto", 2), ("daemon-create", 3), ("bytes", 4), ("primitive", 17), ("reliable-delivery", 36)];

    /// <param name="differences">What is to be otherwise in the configuration.</param>
    public ActorSystemSetup ToSetup(string differences = "")
    {
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(ConfigurationFactory.ParseString(differences).WithFallback(ToConfig())));
        return Identity is { } identity ? setup.And(new MemberIdentitySetup(identity)) : setup;
    }

    public Config ToConfig() => ConfigurationFactory.ParseString($$"""
        akka {
          loglevel = INFO
          stdout-loglevel = OFF
          # ClusterHost hands the log on.
          loggers = []
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          # The host decides when the process ends; it awaits the system's end.
          coordinated-shutdown.exit-clr = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
          # A tick of 10 ms, the default, costs an idle process several per cent of a core.
          scheduler.tick-duration = 50ms
          actor {
            provider = cluster
            # Akka's own that stay: selections, death watch, identities, the cluster's gossip.
            serializers {
              {{Lines(Denied, denied => $"{denied.Name} = \"{TypeName<DenySerializer>()}\"")}}
              akka-system-msg = "{{TypeName<DeathWatchSerializer>()}}"
              akka-misc = "{{TypeName<IdentitySerializer>()}}"
              crashcart = "{{TypeName<WireSerializer>()}}"
            }
            serialization-settings {
              {{Lines(Denied, denied => $"{denied.Name}.identifier = {denied.Identifier}")}}
              allow-unregistered-types = off
            }
            # Akka binds this type to a serializer that reads types by name, and takes either of two bindings that fit.
            serialization-bindings {
              "{{TypeName<IMessage>()}}" = crashcart
            }
          }
          remote {
            untrusted-mode = on
            trusted-selection-paths = [{{Quoted(TrustedPaths)}}]
            enabled-transports = ["akka.remote.{{Transport}}"]
            # A cluster of one needs an address and no socket, which any user of the host could connect to.
            alone {
              transport-class = "Akka.Remote.Transport.TestTransport, Akka.Remote"
              applied-adapters = []
              registry-key = "{{Guid.NewGuid():N}}"
              local-address = "test://{{SystemName}}@{{Host}}:1"
              maximum-payload-bytes = 1048576b
              scheme-identifier = test
            }
            # A peer that a cut hid is tried again soon, and a first packet that got lost is not waited for.
            retry-gate-closed-for = 1s
            # Each side writes on a connection of its own. Else a process that is started anew at its address can lose what is written
            # to it for as long as it lives: a connection that a peer dials at that moment, and has forgotten before it is made, takes
            # the place of the one that the peer writes on.
            use-passive-connections = off
            tls {
              transport-class = "{{TypeName<TlsTransport>()}}"
              applied-adapters = []
              hostname = "{{Host}}"
              port = {{Port ?? 0}}
              maximum-frame-size = 1048576b
            }
            dot-netty.tcp {
              connection-timeout = 3s
              hostname = "{{Host}}"
              port = {{Port ?? 0}}
              maximum-frame-size = 1048576b
              send-buffer-size = 1048576b
              receive-buffer-size = 1048576b
            }
          }
          cluster {
            roles = [{{Quoted(Roles)}}]
            seed-nodes = [{{Quoted(SeedAddresses.Select(seed => seed.ToString()))}}]
            use-dispatcher = crashcart.cluster-dispatcher
            gossip-interval = 500ms
            leader-actions-interval = 200ms
            periodic-tasks-initial-delay = 100ms
            unreachable-nodes-reaper-interval = 500ms
            retry-unsuccessful-join-after = 2s
            seed-node-timeout = 2s
            # The next system starts without whatever kept this one out, such as associations that others half remember.
            shutdown-after-unsuccessful-join-seed-nodes = 20s
            failure-detector {
              monitored-by-nr-of-members = 3
              heartbeat-interval = 500ms
              acceptable-heartbeat-pause = 2s
            }
            downing-provider-class = "{{TypeName<CoordinatorDowning>()}}"
          }
        }
        crashcart {
          # How long a member stays unreachable, or a node without a coordinator, before the cluster is changed for it.
          downing.stable-after = 4s
          # How long a member may be joining, or see a member that is gone, before it is not in the cluster that it sees.
          downing.join-within = 20s
          # Heartbeats must not wait behind anything, or members look dead that are only busy.
          cluster-dispatcher {
            type = ForkJoinDispatcher
            throughput = 10
            dedicated-thread-pool.thread-count = 2
          }
          work-dispatcher {
            type = Dispatcher
            throughput = 20
          }
        }
        """);

    private static string TypeName<T>() => $"{typeof(T).FullName}, {typeof(T).Assembly.GetName().Name}";

    private static string Lines<T>(IEnumerable<T> items, Func<T, string> line) => string.Join('\n', items.Select(line));

    private static string Quoted(IEnumerable<string> items) => string.Join(", ", items.Select(item => $"\"{item}\""));
}
