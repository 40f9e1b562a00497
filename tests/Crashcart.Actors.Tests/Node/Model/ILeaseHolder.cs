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
}

/// <summary>A holder outside of the model: a session, or a person.</summary>
internal sealed class SlotModel(List<string> told, int slot, int life) : ILeaseHolder
{
    public int Life => life;

    public bool IsAlive { get; set; } = true;

    public void Grant(IHolderSet owner) => Tell($"is granted {owner.Name}");

    public void Refuse() => Tell("is refused");

    private void Tell(string what)
    {
        if (IsAlive)
            told.Add($"holder {slot} {what}");
    }
}
