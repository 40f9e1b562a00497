using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Crashcart.Actors.Downing;
using Crashcart.Actors.Remoting;

namespace Crashcart.Actors;

/// <summary>
/// Keeps a process in the cluster. The process outlives its actor system: one that was downed, or ended for any other
/// reason than <see cref="RunAsync"/> being asked to stop, is followed by a new one that joins again.
/// </summary>
/// <param name="populate">Starts the process's top-level actors in a new system.</param>
/// <param name="leave">Awaited before the system leaves the cluster because the process stops; takes as long as it may, and does not fail.</param>
/// <param name="log">Gets every line that Akka logs.</param>
public sealed class ClusterHost(
    ClusterSettings settings,
    Action<ActorSystem> populate,
    Func<ActorSystem, Task> leave,
    Action<LogEvent> log)
{
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(5);

    /// <summary>The system that runs now; null between one and the next.</summary>
    public ActorSystem? System { get; private set; }

    /// <summary>Runs until it is asked to stop, then leaves the cluster in order.</summary>
    /// <exception cref="IOException">The first system could not listen, for instance because its port is taken.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        for (bool first = true; !stopping.IsCancellationRequested; first = false)
        {
            ActorSystem system;
            try
            {
                system = Start();
            }
            // The base of many exceptions is the first that is one, so its own base is asked for.
            catch (Exception e) when (first && e.GetBaseException().GetBaseException() is SocketException cause)
            {
                throw new IOException($"Could not listen on {settings.Host}:{settings.Port} for the cluster: {cause.Message}.", e);
            }
            catch (Exception) when (!first)
            {
                // The port of the last system may not be free yet.
                await Pause(stopping).ConfigureAwait(false);
                continue;
            }
            await Task.WhenAny(system.WhenTerminated, Task.Delay(Timeout.Infinite, stopping)).ConfigureAwait(false);
            if (stopping.IsCancellationRequested)
                await Leave(system).ConfigureAwait(false);
            System = null;
            await Pause(stopping).ConfigureAwait(false);
        }
    }

    private static Task Pause(CancellationToken stopping) =>
        Task.Delay(RestartPause, stopping).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private ActorSystem Start()
    {
        var system = ActorSystem.Create(ClusterSettings.SystemName, settings.ToSetup());
        try
        {
            IActorRef bridge = system.ActorOf(Props.Create(() => new LogBridge(log)), "log");
            system.EventStream.Subscribe(bridge, typeof(LogEvent));
            populate(system);
            var cluster = Cluster.Get(system);
            if (settings.Seeds.Count == 0)
                cluster.Join(cluster.SelfAddress);
            if (settings.Roles.Contains(ClusterSettings.CoordinatorRole))
                system.ActorOf(SeedWatch.Props(settings), SeedWatch.Name);
            if (settings.Identity is { } identity)
                system.ActorOf(RevocationsActor.Props(identity), RevocationsActor.Name);
            System = system;
            return system;
        }
        catch
        {
            system.Terminate();
            throw;
        }
    }

    private async Task Leave(ActorSystem system)
    {
        await leave(system).ConfigureAwait(false);
        using var patience = new CancellationTokenSource(LeavePatience);
        try
        {
            await CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance).WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The others notice our absence by themselves.
            await system.Terminate().WaitAsync(LeavePatience, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private sealed class LogBridge : ReceiveActor
    {
        public LogBridge(Action<LogEvent> log) => Receive<LogEvent>(log);
    }
}
