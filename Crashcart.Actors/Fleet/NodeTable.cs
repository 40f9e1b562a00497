using System.Diagnostics.CodeAnalysis;
using Akka.Actor;
using Akka.Cluster;

namespace Crashcart.Actors.Fleet;

/// <summary>The nodes among the cluster's members, as the last event left them, with the names that they gave themselves.</summary>
internal sealed class NodeTable
{
    private readonly Dictionary<Address, Entry> _nodes = [];

    /// <summary>Nodes that can be asked.</summary>
    public IReadOnlyList<Address> Reachable =>
        [.. _nodes.Where(node => node.Value is { Reachable: true, Status: MemberStatus.Up or MemberStatus.WeaklyUp or MemberStatus.Leaving })
            .Select(node => node.Key)];

    public IReadOnlyList<(Address Address, string Name, string State)> All =>
        [.. _nodes.Select(node => (node.Key, node.Value.Name ?? Unnamed(node.Key), State(node.Value)))];

    /// <summary>Nodes that are members and cannot be asked now.</summary>
    public IReadOnlyList<SilentNode> Unreachable =>
        [.. All.Where(node => node.State == "unreachable").Select(node => new SilentNode(node.Name, "The node is unreachable."))];

    public string NameOf(Address address) => _nodes.TryGetValue(address, out Entry? node) && node.Name is { } name ? name : Unnamed(address);

    public bool IsReachable(Address address) => Reachable.Contains(address);

    public void Apply(UniqueAddress node, MemberStatus status)
    {
        bool known = TryGet(node, out Entry? entry);
        if (status is MemberStatus.Removed or MemberStatus.Down or MemberStatus.Exiting)
        {
            if (known)
                _nodes.Remove(node.Address);
        }
        else if (known)
            entry!.Status = status;
        else
            // A new process at the address of an old one: what was known of the old one is not true of it.
            _nodes[node.Address] = new Entry(node) { Status = status };
    }

    public void SetReachable(UniqueAddress node, bool reachable)
    {
        if (TryGet(node, out Entry? entry))
            entry.Reachable = reachable;
    }

    public void Name(Address address, string name)
    {
        if (_nodes.TryGetValue(address, out Entry? node))
            node.Name = name;
    }

    private bool TryGet(UniqueAddress node, [NotNullWhen(true)] out Entry? entry) =>
        _nodes.TryGetValue(node.Address, out entry) && entry.Incarnation.Equals(node);

    private static string Unnamed(Address address) => $"{address.Host}:{address.Port}";

    private static string State(Entry node) => node switch
    {
        { Reachable: false } => "unreachable",
        { Status: MemberStatus.Up or MemberStatus.WeaklyUp } => "up",
        { Status: MemberStatus.Leaving } => "leaving",
        _ => "joining",
    };

    private sealed class Entry(UniqueAddress incarnation)
    {
        public UniqueAddress Incarnation { get; } = incarnation;

        public MemberStatus Status { get; set; }

        public bool Reachable { get; set; } = true;

        public string? Name { get; set; }
    }
}
