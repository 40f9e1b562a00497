using System.Collections.Frozen;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Util;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Remoting.Frames;
using Google.Protobuf;

namespace Crashcart.Actors.Remoting;

/// <summary>
/// What the member at the other end of a connection may say, by the certificate that it showed there: a coordinator everything, a node
/// what is listed here. It stands before Akka, which delivers a message to every actor whose path the peer writes, and takes the peer's
/// word for who sends it.
/// </summary>
internal sealed class FrameGate(MemberName peer, X509Certificate2 certificate)
{
    private const int ClusterSerializer = 5;
    private const int SelectionSerializer = 6;
    private const int IdentitySerializer = 16;
    private const int DeathWatchSerializer = 22;

    private const string Join = "Akka.Cluster.InternalClusterAction+Join, Akka.Cluster";

    /// <summary>Not the cluster's orders to take members out of it, and not that an actor ended that another member watches.</summary>
    private static readonly FrozenSet<(int Serializer, string Manifest)> OfNodes = FrozenSet.Create<(int, string)>([
        .. WireSerializer.OfNodes.Select(manifest => (WireSerializer.Number, manifest)),
        (IdentitySerializer, "ID"),
        (IdentitySerializer, "AID"),
        (DeathWatchSerializer, typeof(Watch).TypeQualifiedName()),
        (DeathWatchSerializer, typeof(Unwatch).TypeQualifiedName()),
        (ClusterSerializer, Join),
        (ClusterSerializer, "Akka.Cluster.InternalClusterAction+InitJoin, Akka.Cluster"),
        (ClusterSerializer, "Akka.Cluster.InternalClusterAction+InitJoinAck, Akka.Cluster"),
        (ClusterSerializer, "Akka.Cluster.InternalClusterAction+InitJoinNack, Akka.Cluster"),
        (ClusterSerializer, "Akka.Cluster.InternalClusterAction+Welcome, Akka.Cluster"),
        (ClusterSerializer, "Akka.Cluster.InternalClusterAction+ExitingConfirmed, Akka.Cluster"),
        (ClusterSerializer, "Akka.Cluster.GossipEnvelope, Akka.Cluster"),
        (ClusterSerializer, "Akka.Cluster.GossipStatus, Akka.Cluster"),
        (ClusterSerializer, "HB"),
        (ClusterSerializer, "HBR")]);

    private string? _ownHost;

    /// <exception cref="InvalidDataException">It may not say that; the message is the end of a sentence that begins with the member.</exception>
    public void Check(ByteString frame)
    {
        try
        {
            var read = Parse<Frame>(frame);
            if (read.Instruction?.Handshake is { } handshake)
                RequireOwn(handshake.Origin?.Host);
            if (!peer.IsCoordinator && read.Payload.Length > 0 && Parse<Container>(read.Payload).Envelope is { } envelope)
                CheckNode(envelope);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"it sent what is no frame ({e.Message.TrimEnd('.')})");
        }
    }

    private void CheckNode(RemoteMessage envelope)
    {
        var content = envelope.Content ?? new Content();
        if (content.Serializer == SelectionSerializer)
            content = Parse<Selection>(content.Bytes).Content ?? new Content();
        string manifest = content.Manifest.ToStringUtf8();
        if (!OfNodes.Contains((content.Serializer, manifest)))
            throw new InvalidDataException($"it is {peer} and sent '{manifest}' ({content.Serializer}), which no node may send");
        if (content.Serializer == WireSerializer.Number)
            CheckWireMessage(manifest, content.Bytes, envelope.Sender?.Path);
        else if (content.Serializer == ClusterSerializer && manifest == Join)
            CheckJoin(Parse<Join>(content.Bytes));
    }

    private void CheckWireMessage(string manifest, ByteString message, string? sender)
    {
        RequireOwn(ActorPath.TryParseAddress(sender ?? "", out Address address) ? address.Host : null);
        if (WireSerializer.StateTheirNode.Contains(manifest) && Parse<NodeClaim>(message).Node is var node && node != peer.Name)
            throw new InvalidDataException($"it is {peer} and says that it is node {node}; start it with --name {peer.Name}, or issue a certificate for that name");
    }

    private void CheckJoin(Join join)
    {
        RequireOwn(join.Member?.Address?.Host);
        if (join.Roles.Any(role => role != ClusterSettings.NodeRole))
            throw new InvalidDataException($"it is {peer} and wants to join the cluster as {string.Join(", ", join.Roles)}");
    }

    /// <summary>What it says of itself must be of a host that its certificate is for.</summary>
    private void RequireOwn(string? host)
    {
        if (host is not null && (host == _ownHost || IsOwn(host)))
            _ownHost = host;
        else
            throw new InvalidDataException($"it is {peer} and says that it speaks for {(host is null ? "no host" : host)}, for which its certificate is not");
    }

    private bool IsOwn(string host)
    {
        try
        {
            return certificate.MatchesHostname(host, allowWildcards: false, allowCommonName: false);
        }
        catch (ArgumentException)
        {
            // Neither a name nor an address.
            return false;
        }
    }

    private static T Parse<T>(ByteString bytes)
        where T : IMessage<T>, new() => new MessageParser<T>(() => new T()).WithDiscardUnknownFields(true).ParseFrom(bytes);
}
