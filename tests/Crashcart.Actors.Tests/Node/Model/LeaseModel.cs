using System.Globalization;

namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>
/// What the owners of leases have to do, as a state machine without actors: after each command it says who was told what,
/// and what is under way outside.
/// </summary>
internal sealed class LeaseModel
{
    private readonly SortedDictionary<string, Action<bool>> _underWay = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DeviceModel> _devices = [];
    private readonly Dictionary<(int, int), MountModel> _mounts = [];
    private readonly Dictionary<ILeaseHolder, IHolderSet> _grantedBy = [];
    private readonly List<string> _told = [];
    private readonly SlotModel[] _slots;
    private readonly StoredModel[] _stored;
    private readonly int[] _pids = [.. Enumerable.Range(0, LeaseCommand.Containers).Select(container => FirstPid(container))];
    private string _current;
    private int _image = 1;
    private int _identified = 1;
    private int _opened;
    private int _forPeople;

    /// <summary>The image's file has been looked at once, as the node does when it starts.</summary>
    public LeaseModel()
    {
        _slots = [.. Enumerable.Range(0, LeaseCommand.Holders).Select(slot => new SlotModel(this, slot, 0))];
        _stored = [.. Enumerable.Range(0, LeaseCommand.StoredImages).Select(image => new StoredModel(this, StoredWorld.Name(image)))];
        People = new PeopleModel(this);
        _current = "image-1";
        _devices.Add(_current, new DeviceModel(this, _current));
    }

    /// <summary>What is under way outside, in the order in which <see cref="LeaseCommand.Finish"/> counts it.</summary>
    public IReadOnlyCollection<string> UnderWay => _underWay.Keys;

    public LeaseKernel Kernel { get; } = new();

    public PeopleModel People { get; }

    /// <summary>An image stays attached for a while after its last holder.</summary>
    public bool Lingers { get; private set; } = true;

    public static int FirstPid(int container) => 100 * (container + 1);

    /// <returns>Who was told what, sorted.</returns>
    public IReadOnlyList<string> Apply(LeaseCommand command)
    {
        _told.Clear();
        switch (command)
        {
            case LeaseCommand.AcquireImage acquire:
                AcquireImage(In(acquire.Container, acquire.Holder));
                break;
            case LeaseCommand.AcquireStored acquire:
                AcquireImage(In(acquire.Container, acquire.Holder), _stored[acquire.Image]);
                break;
            case LeaseCommand.DropStored drop:
                _stored[drop.Image].Drop();
                break;
            case LeaseCommand.AcquireMount acquire:
                MountIn(acquire.Container).Acquire(_slots[acquire.Holder]);
                break;
            case LeaseCommand.MountForPerson mount:
                People.Mount(_slots[mount.Holder], _pids[mount.Container]);
                break;
            case LeaseCommand.UnmountForPerson unmount:
                People.Unmount(_slots[unmount.Holder], _pids[unmount.Container]);
                break;
            case LeaseCommand.Reconcile:
                People.Reconcile();
                break;
            case LeaseCommand.Release release:
                _grantedBy.GetValueOrDefault(_slots[release.Holder])?.Drop(_slots[release.Holder]);
                break;
            case LeaseCommand.Die die:
                Die(die.Holder);
                break;
            case LeaseCommand.Finish finish when _underWay.Count > 0:
                Finish(_underWay.Keys.ElementAt(finish.Which % _underWay.Count), finish.Succeeds);
                break;
            case LeaseCommand.Exit exit when Kernel.Exit(_pids[exit.Container]):
                _mounts.GetValueOrDefault((exit.Container, _pids[exit.Container]))?.OnExit();
                People.OnExit(_pids[exit.Container]);
                ForEachDevice(device => device.OnEnded(_pids[exit.Container]));
                break;
            case LeaseCommand.Restart restart:
                _pids[restart.Container]++;
                break;
            case LeaseCommand.ReplaceImage:
                _image++;
                break;
            case LeaseCommand.Wait:
                People.Wait();
                ForEachDevice(device => device.Wait());
                break;
            case LeaseCommand.Linger linger:
                Lingers = linger.Lingers;
                // Of an older file nobody waits for another holder anyway.
                _devices[_current].OnLingerChanged();
                foreach (var stored in _stored)
                    stored.Device.OnLingerChanged();
                break;
        }

        return [.. _told.Order(StringComparer.Ordinal)];
    }

    public bool HasExited(int pid) => Kernel.HasExited(pid);

    public void Tell(string what) => _told.Add(what);

    public void Begin(string name, Action<bool> finished) => _underWay.Add(name, finished);

    public void Open(int pid, Action<bool> finished) => Begin(string.Create(CultureInfo.InvariantCulture, $"open {++_opened:000} {pid}"), finished);

    public void BeginForPeople(string what, Action<bool> finished) =>
        Begin(string.Create(CultureInfo.InvariantCulture, $"people {++_forPeople:000} {what}"), finished);

    /// <summary>Whoever acquires gets the image's file as it is when it has been looked at.</summary>
    /// <param name="wanted">Null: the file that the node was given. It is looked at also for others, which may be the same.</param>
    public void AcquireImage(ILeaseHolder holder, StoredModel? wanted = null)
    {
        Begin(string.Create(CultureInfo.InvariantCulture, $"identify {++_identified:000}"), identified =>
        {
            if (!identified && wanted is null)
            {
                holder.Refuse();
                return;
            }

            if (!identified)
            {
                wanted!.Acquire(holder);
                return;
            }

            var key = $"image-{_image}";
            if (key != _current)
            {
                _devices.Add(key, new DeviceModel(this, key));
                _devices[_current].Retire();
                _current = key;
            }

            if (wanted is not null)
            {
                wanted.Acquire(holder);
                return;
            }

            _devices[key].Acquire(holder);
            // Who has died meanwhile holds nothing, but what it began is under way.
            if (!holder.IsAlive)
                _devices[key].Drop(holder);
        });
    }

    public void Grant(ILeaseHolder holder, IHolderSet owner)
    {
        if (holder.IsAlive)
            _grantedBy[holder] = owner;
        holder.Grant(owner);
    }

    /// <summary>Everything that the holder had is released.</summary>
    public void Forget(ILeaseHolder holder)
    {
        foreach (IHolderSet owner in (IHolderSet[])[.. _devices.Values, .. _stored.Select(stored => stored.Device), .. _mounts.Values])
            owner.Drop(holder);
    }

    public void Remove(MountModel mount) => _mounts.Remove(mount.Key);

    private void ForEachDevice(Action<DeviceModel> act)
    {
        foreach (DeviceModel device in (DeviceModel[])[.. _devices.Values, .. _stored.Select(stored => stored.Device)])
            act(device);
    }

    private SlotModel In(int container, int slot)
    {
        _slots[slot].Pid = _pids[container];
        return _slots[slot];
    }

    private MountModel MountIn(int container)
    {
        var key = (container, _pids[container]);
        if (!_mounts.TryGetValue(key, out var mount))
            _mounts.Add(key, mount = new MountModel(this, key));
        return mount;
    }

    private void Die(int slot)
    {
        var dead = _slots[slot];
        _slots[slot] = new SlotModel(this, slot, dead.Life + 1);
        dead.IsAlive = false;
        Forget(dead);
        People.OnDeath(dead);
    }

    private void Finish(string name, bool succeeds)
    {
        _underWay.Remove(name, out var finished);
        finished!(succeeds);
    }
}
