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

    public void Apply(Member member)
    {
        if (!member.HasRole(ClusterSettings.NodeRole))
            return;
        if (member.Status is MemberStatus.Removed or MemberStatus.Down or MemberStatus.Exiting)
            _nodes.Remove(member.Address);
        else if (_nodes.TryGetValue(member.Address, out Entry? known) && known.Incarnation.Equals(member.UniqueAddress))
            known.Status = member.Status;
        else
            // A new process at the address of an old one: what was known of the old one is not true of it.
            _nodes[member.Address] = new Entry(member.UniqueAddress) { Status = member.Status };
    }

    public void SetReachable(Member member, bool reachable)
    {
        if (_nodes.TryGetValue(member.Address, out Entry? node) && node.Incarnation.Equals(member.UniqueAddress))
            node.Reachable = reachable;
    }

    public void Name(Address address, string name)
    {
        if (_nodes.TryGetValue(address, out Entry? node))
            node.Name = name;
    }

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
