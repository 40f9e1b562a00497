namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>The loop device of one image file.</summary>
internal sealed class DeviceModel(LeaseModel all, string key) : IHolderSet
{
    private readonly List<ILeaseHolder> _holders = [];
    private State _state = State.Detached;

    private enum State
    {
        Detached,
        Attaching,
        Attached,
        Detaching,
    }

    public string Name => key;

    public void Acquire(ILeaseHolder holder)
    {
        if (!_holders.Contains(holder))
            _holders.Add(holder);
        if (_state == State.Detached)
            Attach();
        else if (_state == State.Attached)
            all.Grant(holder, this);
    }

    public void Drop(ILeaseHolder holder)
    {
        if (_holders.Remove(holder) && _holders.Count == 0 && _state == State.Attached)
            Detach();
    }

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
            }
            else if (_holders.Count == 0)
            {
                Detach();
            }
            else
            {
                _state = State.Attached;
                foreach (ILeaseHolder holder in (ILeaseHolder[])[.. _holders])
                    all.Grant(holder, this);
            }
        });
    }

    private void Detach()
    {
        _state = State.Detaching;
        // When it fails there is nobody who could do more.
        all.Begin("detach " + key, _ =>
        {
            _state = State.Detached;
            if (_holders.Count > 0)
                Attach();
        });
    }
}
