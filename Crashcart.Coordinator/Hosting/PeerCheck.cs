using System.Buffers.Binary;
using System.Net.Sockets;
using Crashcart.Actors.Policies;
using Crashcart.Node.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Crashcart.Coordinator.Hosting;

/// <summary>
/// Who connects to the Unix socket: root and members of group crashcart. The socket's mode says the same; this holds
/// also where somebody changed the mode. SO_PEERCRED and SO_PEERGROUPS, unix(7) and socket(7).
/// </summary>
internal sealed class PeerCheck(uint? group)
{
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;
    private const int SO_PEERGROUPS = 59;
    private const int MaxGroups = 65536;

    private static readonly object UserKey = new();
    private static readonly object RefusalKey = new();

    /// <summary>Who calls, for the log.</summary>
    public static string Describe(HttpContext context) =>
        context.Connection.ClientCertificate is { } certificate && Peer.Of(certificate) is { } peer ? peer.ToString()
        : UserOf(context) is { } user
            ? $"user {user}"
            : $"{context.Connection.RemoteIpAddress}:{context.Connection.RemotePort}";

    /// <summary>Who calls, for the policy. Whoever comes by TCP in the clear is nobody known.</summary>
    public static PolicySubject Subject(HttpContext context) =>
        context.Connection.ClientCertificate is { } certificate && Peer.Of(certificate) is { } peer ? PolicySubject.User(peer.Name, peer.Groups)
        : UserOf(context) is { } user ? PolicySubject.Local(user)
        : new PolicySubject("anonymous", []);

    /// <summary>The user at the other end of a Unix socket; null on other connections.</summary>
    public static uint? UserOf(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(UserKey, out object? user) == true ? (uint?)user : null;

    /// <summary>What to tell a peer that is refused; null for one that is welcome.</summary>
    public static string? Refusal(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(RefusalKey, out object? refusal) == true ? (string?)refusal : null;

    /// <summary>The uid of a peer by the Unix socket; null for others.</summary>
    public static uint? UserOf(ConnectionContext connection) => connection.Items.TryGetValue(UserKey, out object? user) ? (uint?)user : null;

    /// <summary>Connection middleware; the answer is kept with the connection.</summary>
    public Task Check(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { AddressFamily: AddressFamily.Unix } socket)
        {
            (uint user, uint primary) = Credentials(socket);
            connection.Items[UserKey] = user;
            if (!IsWelcome(user, primary, () => Groups(socket)))
                connection.Items[RefusalKey] = $"User {user} may not use this coordinator: only root and members of the group crashcart may.";
        }
        return next(connection);
    }

    public bool IsWelcome(uint user, uint primary, Func<IEnumerable<uint>> groups) =>
        user == 0 || (group is { } ours && (primary == ours || groups().Contains(ours)));

    private static (uint User, uint Group) Credentials(Socket socket)
    {
        Span<byte> ucred = stackalloc byte[12];
        socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, ucred);
        return (BitConverter.ToUInt32(ucred[4..]), BitConverter.ToUInt32(ucred[8..]));
    }

    private static IEnumerable<uint> Groups(Socket socket)
    {
        byte[] list = new byte[MaxGroups * sizeof(uint)];
        int length = socket.GetRawSocketOption(SOL_SOCKET, SO_PEERGROUPS, list);
        for (int at = 0; at + sizeof(uint) <= length; at += sizeof(uint))
            yield return BinaryPrimitives.ReadUInt32LittleEndian(list.AsSpan(at));
    }
}
