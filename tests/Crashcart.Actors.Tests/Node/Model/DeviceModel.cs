namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>The loop device of one image file.</summary>
internal sealed class DeviceModel(LeaseModel all, string key) : IHolderSet
{
    private readonly List<ILeaseHolder> _holders = [];
    private readonly HashSet<int> _containers = [];
    private const int LingerWaits = 2;

    private State _state = State.Detached;
    private int _waits;
    private bool _isRetired;

    private enum State
    {
        Detached,
        Attaching,
        Attached,
        Lingering,
        Detaching,
    }

    public string Name => key;

    /// <summary>Told whether somebody holds it, and whether it is attached: of the last holder's end only when it lingers or is detached.</summary>
    public Action<bool, bool> Told { get; init; } = (_, _) => { };

    public void Acquire(ILeaseHolder holder)
    {
        if (!_holders.Contains(holder))
        {
            _holders.Add(holder);
            Told(true, IsAttached);
        }

        if (_state == State.Detached)
            Attach();
        else if (_state is State.Attached or State.Lingering)
            Grant(holder);
    }

    public void Drop(ILeaseHolder holder)
    {
        if (!_holders.Remove(holder))
            return;
        if (_holders.Count > 0)
            Told(true, IsAttached);
        else if (_state == State.Attached)
            Leave();
    }

    public void UseIn(int pid) => _containers.Add(pid);

    /// <summary>A container's process has ended: without one in which it was used it does not linger.</summary>
    public void OnEnded(int pid)
    {
        if (_containers.Remove(pid) && _containers.Count == 0 && _state == State.Lingering)
            Detach();
    }

    /// <summary>The file is wanted for something else.</summary>
    public void LetGo()
    {
        if (_state == State.Lingering)
            Detach();
    }

    /// <summary>Half of the time passes for which it lingers.</summary>
    public void Wait()
    {
        if (_state == State.Lingering && ++_waits == LingerWaits)
            Detach();
    }

    /// <summary>It begins to linger anew, or does not any more.</summary>
    public void OnLingerChanged()
    {
        if (_state == State.Lingering)
            Leave();
    }

    /// <summary>The file is another now.</summary>
    public void Retire()
    {
        _isRetired = true;
        if (_state == State.Lingering)
            Detach();
    }

    private void Grant(ILeaseHolder holder)
    {
        _state = State.Attached;
        all.Grant(holder, this);
    }

    private void Leave()
    {
        if (_isRetired || !all.Lingers || _containers.Count == 0)
        {
            Detach();
            return;
        }

        _state = State.Lingering;
        _waits = 0;
        Told(false, true);
    }

    private bool IsAttached => _state is State.Attached or State.Lingering;

    private void Attach()
    {
        _state = State.Attaching;
        all.Begin("attach " + key, attached =>
        {
            if (!attached)
            {
                _state = State.Detached;
                ILeaseHolder[] refused = [.. _holders];
                _holders.Clear();
                foreach (var holder in refused)
                    holder.Refuse();
                Told(false, false);
            }
            else if (_holders.Count == 0)
            {
                Leave();
            }
            else
            {
                _state = State.Attached;
                Told(true, true);
                foreach (ILeaseHolder holder in (ILeaseHolder[])[.. _holders])
                    all.Grant(holder, this);
            }
        });
    }

    private void Detach()
    {
        _state = State.Detaching;
        _containers.Clear();
        // When it fails there is nobody who could do more.
        all.Begin("detach " + key, _ =>
        {
            _state = State.Detached;
            if (_holders.Count > 0)
                Attach();
            else
                Told(false, false);
        });
    }
}
