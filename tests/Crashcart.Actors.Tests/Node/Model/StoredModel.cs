namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>One image of the fleet's, which the node has on its disk: led to its loop device, and removed when nobody uses it.</summary>
internal sealed class StoredModel
{
    private readonly LinkedList<Message> _mailbox = [];
    private readonly List<Message> _stash = [];
    private readonly List<ILeaseHolder> _waiting = [];
    private readonly LeaseModel _all;
    private readonly string _name;
    private readonly DeviceModel _device;
    private Func<Message, bool> _takes;
    private bool _isBusy;
    private bool _isHeld;
    private bool _isAttached;
    private bool _isUnwanted;
    private int _drops;

    public StoredModel(LeaseModel all, string name)
    {
        _all = all;
        _name = name;
        _device = new DeviceModel(all, name) { Told = (isUsed, isAttached) => Post(new Message.Held(isUsed, isAttached)) };
        _takes = Idle;
    }

    public DeviceModel Device => _device;

    private bool IsUsed => _isHeld || _waiting.Exists(holder => holder.IsAlive);

    public void Acquire(ILeaseHolder holder) => Post(new Message.Acquire(holder));

    /// <summary>Somebody wants the image to be removed, as soon as that can be.</summary>
    public void Drop()
    {
        _drops++;
        Post(new Message.Remove(Later: true));
    }

    private void Post(Message message)
    {
        _mailbox.AddLast(message);
        if (_isBusy)
            return;
        _isBusy = true;
        while (_mailbox.First?.Value is { } next)
        {
            _mailbox.RemoveFirst();
            if (!_takes(next))
                _stash.Add(next);
        }

        _isBusy = false;
    }

    private void Wait(ILeaseHolder holder)
    {
        _waiting.Add(holder);
        _isUnwanted = false;
    }

    private bool Idle(Message message)
    {
        switch (message)
        {
            case Message.Acquire acquire:
                Wait(acquire.Holder);
                _takes = Checking;
                _all.Begin("find " + _name, found => Post(new Message.Found(found)));
                return true;
            case Message.Remove remove:
                OnRemove(remove);
                return true;
            default:
                return OnHeld(message);
        }
    }

    private bool Checking(Message message)
    {
        switch (message)
        {
            case Message.Acquire acquire:
                Wait(acquire.Holder);
                return true;
            case Message.Found found:
                OnFound(found.Succeeded);
                return true;
            default:
                return OnHeld(message);
        }
    }

    private bool LettingGo(Message message, Message.Remove remove)
    {
        if (message is not Message.Held held)
            return false;
        if (!held.IsUsed && held.IsAttached)
            return true;
        (_isHeld, _isAttached) = (held.IsUsed, held.IsAttached);
        if (!IsUsed)
        {
            Remove();
            return true;
        }

        Keep(remove);
        BecomeIdle();
        return true;
    }

    private bool Removing(Message message)
    {
        if (message is not Message.Removed removed)
            return OnHeld(message);
        Answer(removed.Succeeded ? "removed" : "not removed");
        _isUnwanted = false;
        BecomeIdle();
        return true;
    }

    private bool OnHeld(Message message)
    {
        if (message is not Message.Held held)
            return false;
        (_isHeld, _isAttached) = (held.IsUsed, held.IsAttached);
        if (!IsUsed && _isUnwanted)
            _mailbox.AddLast(new Message.Remove(Later: true));
        return true;
    }

    private void OnFound(bool succeeded)
    {
        // Who has died meanwhile waits no more.
        ILeaseHolder[] waiting = [.. _waiting.Where(holder => holder.IsAlive)];
        _waiting.Clear();
        _isHeld |= succeeded && waiting.Length > 0;
        foreach (var holder in waiting)
        {
            if (succeeded)
                _device.Acquire(holder);
            else
                holder.Refuse();
        }

        BecomeIdle();
    }

    private void OnRemove(Message.Remove remove)
    {
        if (IsUsed)
        {
            Keep(remove);
        }
        else if (_isAttached)
        {
            _takes = message => LettingGo(message, remove);
            _device.LetGo();
        }
        else
        {
            Remove();
        }
    }

    private void Keep(Message.Remove remove)
    {
        _isUnwanted |= remove.Later;
        Answer("kept");
    }

    private void Remove()
    {
        _takes = Removing;
        _all.Begin("remove " + _name, removed => Post(new Message.Removed(removed)));
    }

    // Whatever is decided is told to all who asked until then.
    private void Answer(string what)
    {
        for (; _drops > 0; _drops--)
            _all.Tell($"{_name} is {what}");
    }

    private void BecomeIdle()
    {
        _takes = Idle;
        for (var i = _stash.Count - 1; i >= 0; i--)
            _mailbox.AddFirst(_stash[i]);
        _stash.Clear();
    }

    private abstract record Message
    {
        public sealed record Acquire(ILeaseHolder Holder) : Message;

        public sealed record Remove(bool Later) : Message;

        public sealed record Held(bool IsUsed, bool IsAttached) : Message;

        public sealed record Found(bool Succeeded) : Message;

        public sealed record Removed(bool Succeeded) : Message;
    }
}
