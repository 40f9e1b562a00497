using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Cluster;
using Akka.Util;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using ClusterSettings = Crashcart.Actors.ClusterSettings;

namespace Crashcart.Benchmarks.Simulation;

/// <summary>
/// A coordinator's actors over simulated nodes: the fleet is told of the members that it would see in its cluster, and asks
/// and starts as ever, over its own remoting. All processes are alone in their network namespace, whose counters tell the bytes.
/// </summary>
internal sealed class SimulatedFleet : IDisposable
{
    /// <summary>They cost little, so that many can be had.</summary>
    private const int FewRounds = 500;

    /// <summary>Each has threads of its own, and the kernel bounds the mappings of one process, proc_sys_vm(5).</summary>
    private const int NodesOfProcess = 1_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly ActorSystem _system;
    private readonly IActorRef _fleet;
    private readonly IReadOnlyList<Process> _nodes;

    private SimulatedFleet(ActorSystem system, IReadOnlyList<Process> nodes)
    {
        _system = system;
        _nodes = nodes;
        _fleet = system.ActorOf(FleetActor.Props(), "fleet");
    }

    public static async Task<SimulationResult> Measure(int nodes, int rounds)
    {
        var processes = new List<Process>();
        var ports = new List<int>();
        for (var first = 0; first < nodes; first += NodesOfProcess)
        {
            var process = StartNodes(first, Math.Min(NodesOfProcess, nodes - first));
            processes.Add(process);
            while (ports.Count < Math.Min(nodes, first + NodesOfProcess))
                ports.Add(int.Parse((await process.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture));
        }

        var settings = new ClusterSettings("127.0.0.1", 0, [ClusterSettings.CoordinatorRole], []);
        using var fleet = new SimulatedFleet(ActorSystem.Create(ClusterSettings.SystemName, settings.ToConfig()), processes);
        return await fleet.Measure(ports, rounds);
    }

    private static Process StartNodes(int first, int count) => Process.Start(
        new ProcessStartInfo(Environment.ProcessPath!, [typeof(SimulatedFleet).Assembly.Location, "simulated-nodes", Number(first), Number(count)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    private async Task<SimulationResult> Measure(List<int> ports, int rounds)
    {
        var nodes = ports.Count;
        foreach (var port in ports)
            _fleet.Tell(new ClusterEvent.MemberUp(Up(port)));
        await Known(nodes);
        var few = await Cost.Of(FewRounds, _nodes, () => Find(SimulatedNode.Few, SimulatedNode.FewNodes));
        var each = await Cost.Of(rounds, _nodes, () => Find(SimulatedNode.OneOfEach, nodes));
        var runs = await Cost.Of(rounds, _nodes, () => StartRun(nodes));
        return new SimulationResult(nodes, few, each, runs, ProcessUsage.Of(Environment.ProcessId).Resident);
    }

    /// <summary>The first question to each node makes its connection, and may take longer than a node is waited for.</summary>
    private async Task Known(int nodes)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await Ask(SimulatedNode.OneOfEach)).All.Count < nodes)
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
                throw new TimeoutException($"Not all of {nodes} simulated nodes answer.");
        }
    }

    private async Task Find(string selector, int expected)
    {
        if ((await Ask(selector)).All.Count != expected)
            throw new InvalidOperationException("A simulated node did not answer.");
    }

    private Task<FleetQuery.Containers> Ask(string selector) =>
        _fleet.Ask<FleetQuery.Containers>(new FleetQuery.ListContainers(selector, ""), Patience);

    private async Task StartRun(int nodes)
    {
        var port = new Port();
        var plan = new RunPlan(RunId.New(), new RunTargets.Selected(SimulatedNode.OneOfEach, ""), new ToolDescription { Argv = { "true" } });
        await _fleet.Ask<FleetQuery.RunAccepted>(new FleetQuery.StartRun(plan, port), Patience);
        if (await port.Ended.WaitAsync(Patience) != nodes)
            throw new InvalidOperationException("A simulated node did not end its session.");
    }

    private static Member Up(int port) =>
        Create(null, new UniqueAddress(new Address("akka.tcp", ClusterSettings.SystemName, "127.0.0.1", port), 1), [ClusterSettings.NodeRole], AppVersion.Zero).Copy(MemberStatus.Joining).Copy(MemberStatus.Up);

    /// <summary>Akka makes members of what others gossip alone.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.StaticMethod, Name = "Create")]
    private static extern Member Create(Member? type, UniqueAddress address, ImmutableHashSet<string> roles, AppVersion version);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _system.Terminate().Wait(Patience);
        foreach (var process in _nodes)
            process.StandardInput.Close();
        foreach (var process in _nodes)
        {
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>A run's client that counts how many sessions are over; there are no streams.</summary>
    private sealed class Port : IRunPort
    {
        private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _over;

        public Task<int> Ended => _ended.Task;

        public StreamTicket Open(int number, string node) => new("http://127.0.0.1:1", ByteString.CopyFrom(Guid.NewGuid().ToByteArray()));

        public Task AdmitAsync(int number, RunTarget target, StartSession order) => Task.CompletedTask;

        public void Close(int target)
        {
        }

        public Task<WantedImage?> DefaultImageAsync() => Task.FromResult<WantedImage?>(null);

        public void Tell(RunEvent happened)
        {
            if (happened is RunEvent.SessionEnded)
                _over++;
            else if (happened is RunEvent.Ended)
                _ended.TrySetResult(_over);
        }
    }
}
