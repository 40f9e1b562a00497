namespace Crashcart.Actors.Node.Containers;

/// <summary>What runs on the node, as far as the runtimes and the kernel have told.</summary>
internal sealed class ContainerTable
{
    private readonly Dictionary<ContainerId, Container> _all = [];

    public int Count => _all.Count;

    /// <summary>Whether the container's process is new: the container is, or it was restarted.</summary>
    public bool Put(Container container)
    {
        var isNew = !_all.TryGetValue(container.Id, out var known) || known.Pid != container.Pid;
        _all[container.Id] = container;
        return isNew;
    }

    /// <summary>The container that was there, or null.</summary>
    public Container? Remove(ContainerId id) => _all.Remove(id, out var known) ? known : null;

    /// <summary>Removes the container unless it has another process by now.</summary>
    public bool Remove(ContainerId id, int pid) => _all.TryGetValue(id, out var known) && known.Pid == pid && _all.Remove(id);

    public Container? Get(ContainerId id) => _all.GetValueOrDefault(id);

    /// <summary>The ids of a runtime's containers.</summary>
    public IReadOnlyList<ContainerId> Of(string runtime) => [.. _all.Values.Where(c => c.Runtime == runtime).Select(c => c.Id)];

    /// <summary>Of everything that a container here is looked for by, each once and in order.</summary>
    public IReadOnlyList<ulong> Fingerprints => [.. _all.Values.SelectMany(Fingerprint.Of).Distinct().Order()];

    /// <summary>The containers that the selector selects and that have the name, the id or an id that starts so.</summary>
    /// <param name="nameOrId">Empty: all. An exact name or id wins over a prefix; an ambiguous prefix selects all that have it.</param>
    public IReadOnlyList<Container> Find(Selector selector, string nameOrId)
    {
        var named = _all.Values.Where(c => nameOrId.Length == 0 || c.Name == nameOrId || c.Id.Value == nameOrId).ToList();
        if (named.Count == 0)
            named = [.. _all.Values.Where(c => c.Id.Value.StartsWith(nameOrId, StringComparison.Ordinal))];
        return [.. named.Where(c => selector.Matches(c.Labels)).OrderBy(c => c.Name, StringComparer.Ordinal)];
    }
}
