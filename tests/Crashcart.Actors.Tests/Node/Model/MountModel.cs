namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>The shared mount in one container, which holds an image as long as it is there.</summary>
internal sealed class MountModel : ILeaseHolder, IHolderSet
{
    private readonly List<ILeaseHolder> _holders = [];
    private readonly LeaseModel _all;
    private State _state = State.Opening;
    private IHolderSet? _image;

    public MountModel(LeaseModel all, (int Container, int Pid) key)
    {
        _all = all;
        Key = key;
        all.Open(key.Pid, OnOpened);
    }

    private enum State
    {
        Opening,
        Unmounted,
        Mounting,
        Mounted,
        Unmounting,
        Stopped,
    }

    public (int Container, int Pid) Key { get; }

    public string Name => $"mount-{Key.Pid}";

    public bool IsAlive => _state != State.Stopped;

    public void Acquire(ILeaseHolder holder)
    {
        if (!_holders.Contains(holder))
            _holders.Add(holder);
        if (_state == State.Unmounted)
            Mount();
        else if (_state == State.Mounted)
            _all.Grant(holder, this);
    }

    public void Drop(ILeaseHolder holder)
    {
        if (_holders.Remove(holder) && _holders.Count == 0 && _state == State.Mounted)
            Unmount();
    }

    /// <summary>It is in one container, whoever uses it.</summary>
    public void UseIn(int pid)
    {
    }

    /// <summary>The container's process has ended.</summary>
    public void OnExit()
    {
        if (_state != State.Opening)
            Stop();
    }

    void ILeaseHolder.Grant(IHolderSet image)
    {
        if (!IsAlive)
            return;
        image.UseIn(Key.Pid);
        _all.Begin("mount " + Name, mounted => OnMounted(image, mounted));
    }

    void ILeaseHolder.Refuse()
    {
        if (!IsAlive)
            return;
        RefuseAll();
        Settle();
    }

    private void OnOpened(bool opened)
    {
        if (opened)
            Settle();
        else
            RefuseAll();
        if (!opened || _all.HasExited(Key.Pid))
            Stop();
    }

    private void OnMounted(IHolderSet image, bool mounted)
    {
        if (!IsAlive)
        {
            // What nobody waits for any more is made all the same.
            _all.Begin("unmount " + Name, _ => { });
        }
        else if (!mounted || !_all.Kernel.MountForSessions(Key.Pid, image.Name))
        {
            RefuseAll();
            image.Drop(this);
            Settle();
        }
        else if (_holders.Count > 0)
        {
            _state = State.Mounted;
            _image = image;
            foreach (var holder in _holders)
                _all.Grant(holder, this);
        }
        else
        {
            _image = image;
            Unmount();
        }
    }

    private void Settle()
    {
        if (_holders.Count > 0)
            Mount();
        else
            _state = State.Unmounted;
    }

    private void Mount()
    {
        _state = State.Mounting;
        _all.AcquireImage(this);
    }

    private void Unmount()
    {
        _state = State.Unmounting;
        _all.Begin("unmount " + Name, succeeds =>
        {
            _all.Kernel.EndSessions(Key.Pid, succeeds);
            _image!.Drop(this);
            if (IsAlive)
                Settle();
        });
    }

    private void RefuseAll()
    {
        ILeaseHolder[] refused = [.. _holders];
        _holders.Clear();
        foreach (var holder in refused)
            holder.Refuse();
    }

    // The owner is gone, and what it has made is taken back without it.
    private void Stop()
    {
        var wasMounted = _state == State.Mounted;
        _state = State.Stopped;
        _holders.Clear();
        _all.Remove(this);
        _all.Forget(this);
        if (wasMounted)
            _all.Begin("unmount " + Name, _ => { });
    }
}
