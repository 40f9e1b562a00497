using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Remote;
using Crashcart.Actors.Downing;

namespace Crashcart.Actors.Tests.Downing;

/// <summary>Real coordinators on loopback, each in a process's place.</summary>
public sealed class SeedWatchSpec
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_coordinator_that_waits_for_one_that_is_dead_begins_without_it()
    {
        var (first, second) = Addresses();
        await using var waiting = new Coordinator(second, first, second);
        await waiting.HasMembersAsync(1);
    }

    [Fact]
    public async Task A_coordinator_that_began_too_early_moves_to_the_cluster_that_it_was_told_of()
    {
        var (early, late) = Addresses();
        await using var one = new Coordinator(early, early, late);
        await one.HasMembersAsync(1);
        await using var other = new Coordinator(late);
        await other.HasMembersAsync(2);
        await one.HasMembersAsync(2);
    }

    [Fact]
    public async Task Of_coordinators_that_removed_each_other_the_last_in_order_moves_alone()
    {
        var (first, second) = Addresses();
        var (stays, moves) = (Start(first, first, second), Start(second, first, second));
        await HasMembersAsync(stays, 2);
        await HasMembersAsync(moves, 2);

        // What each does to the other when it removes it; from then on neither hears the other. The probes do.
        Refuse(stays, moves);
        Refuse(moves, stays);

        await moves.WhenTerminated.WaitAsync(Patience);
        await HasMembersAsync(stays, 1);
        Assert.False(stays.WhenTerminated.IsCompleted);
        await stays.Terminate();
    }

    [Fact]
    public async Task Coordinators_in_one_cluster_stay()
    {
        var (first, second) = Addresses();
        await using var one = new Coordinator(first, first, second);
        await using var other = new Coordinator(second, first, second);
        await one.HasMembersAsync(2);
        await other.HasMembersAsync(2);
        var (system, looks) = (one.System, TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<TimeoutException>(() => system!.WhenTerminated.WaitAsync(looks));
    }

    private static ActorSystem Start(string address, params string[] seeds)
    {
        var settings = new ClusterSettings("127.0.0.1", IPEndPoint.Parse(address).Port, [ClusterSettings.CoordinatorRole], seeds)
        {
            SeedWatchInterval = TimeSpan.FromMilliseconds(500),
        };
        var system = ActorSystem.Create(
            ClusterSettings.SystemName,
            ConfigurationFactory.ParseString("""
                akka.cluster.failure-detector.acceptable-heartbeat-pause = 1s
                akka.coordinated-shutdown.run-by-actor-system-terminate = off
                crashcart.downing.stable-after = 1s
                """)
                .WithFallback(settings.ToConfig()));
        system.ActorOf(SeedWatch.Props(settings), SeedWatch.Name);
        return system;
    }

    private static void Refuse(ActorSystem system, ActorSystem other)
    {
        var refused = Cluster.Get(other).SelfUniqueAddress;
        ((IRemoteActorRefProvider)((ExtendedActorSystem)system).Provider).Quarantine(refused.Address, refused.Uid);
    }

    private static Task HasMembersAsync(ActorSystem system, int count) =>
        HasMembersAsync(() => Cluster.Get(system).State.Members.Count(m => m.Status == MemberStatus.Up), count);

    private static async Task HasMembersAsync(Func<int> up, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (up() != count)
            await look.WaitForNextTickAsync(patience.Token);
    }

    // The first of two sorts before the second. Below the range from which the kernel gives ports away.
    private static (string First, string Second) Addresses()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var one = new TcpListener(IPAddress.Loopback, port);
                using var other = new TcpListener(IPAddress.Loopback, port + 1);
                one.Start();
                other.Start();
                return ($"127.0.0.1:{port}", $"127.0.0.1:{port + 1}");
            }
            catch (SocketException)
            {
                // Taken: the next may be free.
            }
        }
    }

    private sealed class Coordinator : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly ClusterHost _host;
        private readonly Task _run;

        public Coordinator(string address, params string[] seeds)
        {
            var settings = new ClusterSettings("127.0.0.1", IPEndPoint.Parse(address).Port, [ClusterSettings.CoordinatorRole], seeds)
            {
                SeedWatchInterval = TimeSpan.FromMilliseconds(500),
            };
            _host = new ClusterHost(settings, _ => { }, _ => Task.CompletedTask, _ => { });
            _run = _host.RunAsync(_stop.Token);
        }

        public ActorSystem? System => _host.System;

        public Task HasMembersAsync(int count) => SeedWatchSpec.HasMembersAsync(Up, count);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _run;
            _stop.Dispose();
        }

        private int Up() => System is { } system ? Cluster.Get(system).State.Members.Count(m => m.Status == MemberStatus.Up) : 0;
    }
}
