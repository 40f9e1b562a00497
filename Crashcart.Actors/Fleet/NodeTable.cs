using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Fleet;

/// <summary>The nodes among the cluster's members, as the last event left them, with the names that they gave themselves.</summary>
internal sealed class NodeTable
{
    /// <summary>As often as a node may be asked for its index, and say nothing, before the last one counts no more.</summary>
    private const int MostUnanswered = 2;

    private readonly Dictionary<Address, Entry> _nodes = [];
    private int _entered;

    /// <summary>Nodes that can be asked.</summary>
    public IReadOnlyList<Address> Reachable => [.. ReachableEntries.Select(node => node.Key)];

    public IReadOnlyList<(Address Address, string Name, string State)> All =>
        [.. _nodes.Select(node => (node.Key, node.Value.Name ?? Unnamed(node.Key), State(node.Value)))];

    /// <summary>Nodes that are members and cannot be asked now.</summary>
    public IReadOnlyList<SilentNode> Unreachable =>
        [.. All.Where(node => node.State == "unreachable").Select(node => new SilentNode(node.Name, "The node is unreachable."))];

    private IEnumerable<KeyValuePair<Address, Entry>> ReachableEntries =>
        _nodes.Where(node => node.Value is { Reachable: true, Status: MemberStatus.Up or MemberStatus.WeaklyUp or MemberStatus.Leaving });

    /// <summary>Nodes that can be asked and have that name, or none yet.</summary>
    /// <param name="glob">With * and ?; empty is every name.</param>
    public IReadOnlyList<Address> Named(string glob) => [.. NamedEntries(glob).Select(node => node.Key)];

    /// <summary>Nodes that may have what is looked for; each may have none, but no other has any, as far as nodes have told.</summary>
    public IReadOnlyList<Address> ThatMayHave(FleetQuery.ListContainers wanted)
    {
        // Of what is malformed the nodes say what is wrong with it.
        if (!Selector.TryParse(wanted.Selector, out Selector selector, out _))
            return Named(wanted.Node);
        var nodes = NamedEntries(wanted.Node).Where(node => node.Value.Index?.MayMatch(selector) ?? true).ToList();
        // A whole name means that container, whatever has an id that begins so elsewhere; unless it may not be known to who asks.
        if (wanted.Container.Length > 0 && wanted.Access.IsUnlimited && nodes.Any(node => node.Value.Index?.MayHave(wanted.Container) ?? false))
            nodes = [.. nodes.Where(node => node.Value.Index?.MayHave(wanted.Container) ?? true)];
        return [.. nodes.Select(node => node.Key)];
    }

    private IEnumerable<KeyValuePair<Address, Entry>> NamedEntries(string glob) =>
        ReachableEntries.Where(node => node.Value.Name is not { } name || NodeGlob.Matches(glob, name));

    /// <summary>Nodes whose turn it is to be asked for their index.</summary>
    /// <param name="moments">After so many it is a node's turn again.</param>
    public IReadOnlyList<Address> DueForIndex(int moment, int moments) =>
        [.. ReachableEntries.Where(node => (node.Value.Number + moment) % moments == 0).Select(node => node.Key)];

    /// <summary>The question for the node's index, which counts as unanswered until <see cref="Index"/>.</summary>
    public IndexContainers AskForIndex(Address address)
    {
        Entry node = _nodes[address];
        if (node.Unanswered++ == MostUnanswered)
            node.Index = null;
        return new IndexContainers { Ticket = node.Ticket };
    }

    /// <summary>Who sent it says nothing, for a peer may write any sender on it: the ticket does.</summary>
    public void Index(Address address, ContainersIndexed told)
    {
        if (!_nodes.TryGetValue(address, out Entry? node) || !CryptographicOperations.FixedTimeEquals(node.Ticket.Span, told.Ticket.Span))
            return;
        node.Unanswered = 0;
        node.Index = told.Index is { } index ? new NodeIndex(index.Fingerprints) : null;
    }

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
            _nodes[node.Address] = new Entry(node, _entered++) { Status = status };
    }

    public void SetReachable(UniqueAddress node, bool reachable)
    {
        if (!TryGet(node, out Entry? entry))
            return;
        entry.Reachable = reachable;
        // What it told in the meantime did not come.
        entry.Index = null;
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

    /// <param name="number">Each has another.</param>
    private sealed class Entry(UniqueAddress incarnation, int number)
    {
        public int Number { get; } = number;

        /// <summary>Known to this node alone.</summary>
        public ByteString Ticket { get; } = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(16));

        /// <summary>Null: whoever looks for a container asks the node.</summary>
        public NodeIndex? Index { get; set; }

        public int Unanswered { get; set; }

        public UniqueAddress Incarnation { get; } = incarnation;

        public MemberStatus Status { get; set; }

        public bool Reachable { get; set; } = true;

        public string? Name { get; set; }
    }
}
