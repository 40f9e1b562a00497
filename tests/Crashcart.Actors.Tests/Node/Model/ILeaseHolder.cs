namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>Who can be granted a lease in the model.</summary>
internal interface ILeaseHolder
{
    bool IsAlive { get; }

    void Grant(IHolderSet owner);

    void Refuse();
}

/// <summary>What can be held in the model.</summary>
internal interface IHolderSet
{
    string Name { get; }

    /// <summary>The holder has released or has died; one that holds nothing changes nothing.</summary>
    void Drop(ILeaseHolder holder);

    /// <summary>The holder uses it in a container's process.</summary>
    void UseIn(int pid);
}

/// <summary>A holder outside of the model: a session, or a person.</summary>
internal sealed class SlotModel(LeaseModel all, int slot, int life) : ILeaseHolder
{
    public int Life => life;

    public bool IsAlive { get; set; } = true;

    /// <summary>Where it wanted to use what it asked for last.</summary>
    public int Pid { get; set; }

    public void Grant(IHolderSet owner)
    {
        Tell($"is granted {owner.Name}");
        if (IsAlive && !all.HasExited(Pid))
            owner.UseIn(Pid);
    }

    public void Refuse() => Tell("is refused");

    public void Tell(string what)
    {
        if (IsAlive)
            all.Tell($"holder {slot} {what}");
    }
}
