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
    private readonly HashSet<int> _exited = [];
    private readonly SlotModel[] _slots;
    private readonly int[] _pids = [.. Enumerable.Range(0, LeaseCommand.Containers).Select(container => FirstPid(container))];
    private string _current;
    private int _image = 1;
    private int _identified = 1;

    /// <summary>The image's file has been looked at once, as the node does when it starts.</summary>
    public LeaseModel()
    {
        _slots = [.. Enumerable.Range(0, LeaseCommand.Holders).Select(slot => new SlotModel(_told, slot, 0))];
        _current = "image-1";
        _devices.Add(_current, new DeviceModel(this, _current));
    }

    /// <summary>What is under way outside, in the order in which <see cref="LeaseCommand.Finish"/> counts it.</summary>
    public IReadOnlyCollection<string> UnderWay => _underWay.Keys;

    public static int FirstPid(int container) => 100 * (container + 1);

    /// <returns>Who was told what, sorted.</returns>
    public IReadOnlyList<string> Apply(LeaseCommand command)
    {
        _told.Clear();
        switch (command)
        {
            case LeaseCommand.AcquireImage acquire:
                AcquireImage(_slots[acquire.Holder]);
                break;
            case LeaseCommand.AcquireMount acquire:
                MountIn(acquire.Container).Acquire(_slots[acquire.Holder]);
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
            case LeaseCommand.Exit exit when _exited.Add(_pids[exit.Container]):
                _mounts.GetValueOrDefault((exit.Container, _pids[exit.Container]))?.OnExit();
                break;
            case LeaseCommand.Restart restart:
                _pids[restart.Container]++;
                break;
            case LeaseCommand.ReplaceImage:
                _image++;
                break;
        }

        return [.. _told.Order(StringComparer.Ordinal)];
    }

    public bool HasExited(int pid) => _exited.Contains(pid);

    public void Begin(string name, Action<bool> finished) => _underWay.Add(name, finished);

    /// <summary>Whoever acquires gets the image's file as it is when it has been looked at.</summary>
    public void AcquireImage(ILeaseHolder holder)
    {
        Begin(string.Create(CultureInfo.InvariantCulture, $"identify {++_identified:000}"), identified =>
        {
            if (!identified)
            {
                holder.Refuse();
                return;
            }

            var key = $"image-{_image}";
            if (key != _current)
            {
                _devices.Add(key, new DeviceModel(this, key));
                _current = key;
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
        foreach (IHolderSet owner in (IHolderSet[])[.. _devices.Values, .. _mounts.Values])
            owner.Drop(holder);
    }

    public void Remove(MountModel mount) => _mounts.Remove(mount.Key);

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
        _slots[slot] = new SlotModel(_told, slot, dead.Life + 1);
        dead.IsAlive = false;
        Forget(dead);
    }

    private void Finish(string name, bool succeeds)
    {
        _underWay.Remove(name, out var finished);
        finished!(succeeds);
    }
}
