using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;

namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>
/// The owners of leases as they are, in a scripted world. All of it runs on the thread that applies the commands: when
/// <see cref="Apply"/> returns, everything that follows from the command has happened.
/// </summary>
internal sealed class LeaseRig
{
    private static readonly ActorSystem System = ActorSystem.Create("leases", ConfigurationFactory.ParseString("""
        akka.actor.default-dispatcher { type = "Akka.TestKit.CallingThreadDispatcherConfigurator, Akka.TestKit", throughput = 2147483647 }
        akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit"
        akka.loglevel = OFF
        akka.stdout-loglevel = OFF
        akka.log-dead-letters = off
        """));

    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(30);

    private static readonly IActorRef Stage = System.ActorOf(Props.Create(() => new StageActor()));

    private readonly LeaseWorld _world = new();
    private readonly List<string> _told = [];
    private readonly IActorRef[] _holders;
    private readonly Dictionary<IActorRef, IActorRef> _grantedBy = [];
    private readonly Dictionary<(IActorRef Holder, IActorRef Owner), LeaseWorld.Thing> _granted = [];
    private readonly Dictionary<IActorRef, Container> _places = [];
    private readonly int[] _pids = [.. Enumerable.Range(0, LeaseCommand.Containers).Select(LeaseModel.FirstPid)];
    private readonly IActorRef _root;
    private readonly IActorRef _dropper;
    private readonly IActorRef _images;
    private readonly IActorRef _mounts;
    private readonly IActorRef _leases;
    private readonly IActorRef _reconciler;

    public LeaseRig()
    {
        _root = Root();
        var ports = new NodePorts([], _world, _world, new StoredWorld(_world), _world, new ScriptedTools(), new ScriptedCalls(), new ScriptedRecords(), _world, _world, new ScriptedHost(), new ScriptedAudit());
        _images = Child(_root, ImagesActor.Props(ports, Linger), "images");
        _mounts = Child(_root, MountsActor.Props(ports, _images), "mounts");
        var containers = Child(_root, Props.Create(() => new ContainersStub(this)), "containers");
        _leases = Child(_root, LeasesActor.Props(ports, new SessionNeighbours(containers, _images, _mounts)), "leases");
        _reconciler = Child(_root, Props.Create(() => new ReconcilerStub(this)), name: null);
        _dropper = Child(_root, Props.Create(() => new DropperActor(this)), name: null);
        _holders = [.. Enumerable.Range(0, LeaseCommand.Holders).Select(Holder)];
        // The first look at the file, which nobody waits for.
        _world.Finish(0, succeeds: true);
    }

    public IReadOnlyCollection<string> UnderWay => _world.UnderWay;

    public IEnumerable<(int Pid, int Mount)> Leases => _world.Leases;

    public IReadOnlyDictionary<int, LeaseKernel.Mounted> Mounts => _world.Kernel.Mounts;

    /// <returns>Who was told what, sorted.</returns>
    public IReadOnlyList<string> Apply(LeaseCommand command)
    {
        _told.Clear();
        switch (command)
        {
            case LeaseCommand.AcquireImage acquire:
                _images.Tell(new ImagesActor.Acquire(null), In(acquire.Container, acquire.Holder));
                break;
            case LeaseCommand.AcquireStored acquire:
                _images.Tell(new ImagesActor.Acquire(StoredWorld.Wanted(acquire.Image)), In(acquire.Container, acquire.Holder));
                break;
            case LeaseCommand.DropStored drop:
                _images.Tell(new DropImage { CorrelationId = StoredWorld.Name(drop.Image), Digest = StoredWorld.Wanted(drop.Image).Digest }, _dropper);
                break;
            case LeaseCommand.AcquireMount acquire:
                _mounts.Tell(new MountsActor.Acquire(ContainerOf(acquire.Container)), _holders[acquire.Holder]);
                break;
            case LeaseCommand.MountForPerson mount:
                _leases.Tell(
                    new MountImage { CorrelationId = $"{_pids[mount.Container]}", ContainerId = ContainerOf(mount.Container).Id.Value, Holder = "anna" },
                    _holders[mount.Holder]);
                break;
            case LeaseCommand.UnmountForPerson unmount:
                _leases.Tell(
                    new UnmountImage { CorrelationId = $"{_pids[unmount.Container]}", ContainerId = ContainerOf(unmount.Container).Id.Value },
                    _holders[unmount.Holder]);
                break;
            case LeaseCommand.Reconcile:
                _leases.Tell(new LeasesActor.Mention(), _reconciler);
                break;
            case LeaseCommand.Release release:
                Release(_holders[release.Holder]);
                break;
            case LeaseCommand.Die die:
                Die(die.Holder);
                break;
            case LeaseCommand.Finish finish:
                _world.Finish(finish.Which, finish.Succeeds);
                break;
            case LeaseCommand.Exit exit:
                Exit(exit.Container);
                break;
            case LeaseCommand.Restart restart:
                _pids[restart.Container]++;
                break;
            case LeaseCommand.ReplaceImage:
                _world.ReplaceImage();
                break;
            case LeaseCommand.Wait:
                Advance(Linger / 2);
                break;
            case LeaseCommand.Linger linger:
                _images.Tell(new LoopDeviceActor.Linger(linger.Lingers ? Linger : TimeSpan.Zero));
                break;
        }

        RequireHonesty();
        return [.. _told.Order(StringComparer.Ordinal)];
    }

    /// <summary>The node's actors stop, as when it leaves the cluster.</summary>
    public void Stop()
    {
        _granted.Clear();
        _world.IsStopped = true;
        System.Stop(_root);
    }

    /// <summary>Everybody gives back, every container ends, and everything that is under way comes to its end.</summary>
    public void Rest()
    {
        for (var holder = 0; holder < LeaseCommand.Holders; holder++)
            Die(holder);
        FinishAll();
        foreach (var pid in Enumerable.Range(0, LeaseCommand.Containers).SelectMany(c => Enumerable.Range(LeaseModel.FirstPid(c), 100)))
            _world.Exit(pid);
        FinishAll();
        Advance(Linger);
        FinishAll();
        Assert.Empty(_world.Owned);
        Assert.Empty(_world.Violations);
    }

    private static void Advance(TimeSpan time) => ((TestScheduler)System.Scheduler).Advance(time);

    private void FinishAll()
    {
        while (UnderWay.Count > 0)
            _world.Finish(0, succeeds: true);
    }

    /// <summary>The system starts the stage on a thread of its own, and what the stage is told before waits for that.</summary>
    private static IActorRef Root()
    {
        var root = new TaskCompletionSource<IActorRef>();
        Stage.Tell(new Action<IActorContext>(context => root.SetResult(context.ActorOf(Props.Create(() => new StageActor())))));
        return root.Task.GetAwaiter().GetResult();
    }

    private static IActorRef Child(IActorRef parent, Props props, string? name)
    {
        IActorRef child = ActorRefs.Nobody;
        parent.Tell(new Action<IActorContext>(context => child = context.ActorOf(props, name)));
        return child;
    }

    private static string NameOf(IActorRef owner)
    {
        if (ImageDigest.TryParse("sha256:" + owner.Path.Parent.Name, out var digest))
            return StoredWorld.Name(digest);
        var name = owner.Path.Name;
        var thing = name[..name.LastIndexOf('-')];
        return owner.Path.Parent.Name == "mounts" ? "mount-" + thing : thing;
    }

    private IActorRef Holder(int slot) => Child(_root, Props.Create(() => new HolderActor(slot, this)), name: null);

    private void Release(IActorRef holder)
    {
        if (!_grantedBy.TryGetValue(holder, out var owner))
            return;
        _granted.Remove((holder, owner));
        owner.Tell(Lease.Release.Instance, holder);
    }

    private void Die(int slot)
    {
        var dead = _holders[slot];
        Forget(lease => lease.Holder.Equals(dead));
        _holders[slot] = Holder(slot);
        System.Stop(dead);
    }

    private void Exit(int container)
    {
        Forget(lease => NameOf(lease.Owner) == $"mount-{_pids[container]}");
        _world.Exit(_pids[container]);
        _images.Tell(new ContainersActor.Ended(ContainerOf(container).Id, _pids[container]));
    }

    private Container ContainerOf(int container) => NodeSpec.Container($"container-{container}", _pids[container]);

    private IActorRef In(int container, int slot)
    {
        _places[_holders[slot]] = ContainerOf(container);
        return _holders[slot];
    }

    private void TellUse(IActorRef owner, IActorRef holder)
    {
        if (owner.Path.Parent.Name != "mounts" && _places[holder] is var place && !_world.Kernel.HasExited(place.Pid))
            owner.Tell(new Lease.UsedIn(place.Id, place.Pid));
    }

    private void Forget(Func<(IActorRef Holder, IActorRef Owner), bool> isOver)
    {
        foreach (var lease in _granted.Keys.Where(isOver).ToList())
            _granted.Remove(lease);
    }

    // Whoever was granted something and has not given it back has it.
    private void RequireHonesty()
    {
        Assert.Empty(_world.Violations);
        Assert.All(_granted, lease => Assert.False(lease.Value.IsGivenBack, $"{NameOf(lease.Key.Owner)} was taken away from its holder."));
    }

    private sealed class StageActor : ReceiveActor
    {
        public StageActor() => Receive<Action<IActorContext>>(act => act(Context));
    }

    private sealed class DropperActor : ReceiveActor
    {
        public DropperActor(LeaseRig rig) => Receive<ImageDropped>(dropped => rig._told.Add(dropped switch
        {
            { Problem.Length: > 0 } => $"{dropped.CorrelationId} is not removed",
            { Users.Count: > 0 } => $"{dropped.CorrelationId} is kept",
            _ => $"{dropped.CorrelationId} is removed",
        }));
    }

    private sealed class ContainersStub : ReceiveActor
    {
        public ContainersStub(LeaseRig rig) => Receive<ContainersActor.Locate>(locate => Sender.Tell(
            new ContainersActor.Located(Enumerable.Range(0, LeaseCommand.Containers).Select(rig.ContainerOf).Single(container => container.Id == locate.Id))));
    }

    private sealed class ReconcilerStub : ReceiveActor
    {
        public ReconcilerStub(LeaseRig rig)
        {
            Receive<LeasesActor.Known>(known => Sender.Tell(new LeasesActor.Settle(
                rig._world.Look(pid => rig.ContainerOf(pid / LeaseModel.FirstPid(0) - 1).Id), known.Leases)));
            Receive<LeasesActor.Settled>(_ => { });
        }
    }

    private sealed class HolderActor : ReceiveActor
    {
        public HolderActor(int slot, LeaseRig rig)
        {
            Receive<Lease.Granted>(granted =>
            {
                rig._grantedBy[Self] = Sender;
                rig._granted[(Self, Sender)] = (LeaseWorld.Thing)granted.Image;
                rig._told.Add($"holder {slot} is granted {NameOf(Sender)}");
                rig.TellUse(Sender, Self);
            });
            Receive<Lease.Refused>(_ => rig._told.Add($"holder {slot} is refused"));
            Receive<ImageMounted>(mounted => rig._told.Add(
                $"holder {slot} {(mounted.Problem.Length > 0 ? "gets no lease" : "has a lease")} in {mounted.CorrelationId}"));
            Receive<ImageUnmounted>(unmounted => rig._told.Add($"holder {slot} " + unmounted switch
            {
                { Problem.Length: > 0 } => $"cannot unmount {unmounted.CorrelationId}",
                { WasMounted: true } => $"has unmounted {unmounted.CorrelationId}",
                _ => $"finds nothing in {unmounted.CorrelationId}",
            }));
        }
    }
}
