using System.Net;
using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Crashcart.Coordinator.Limits;

/// <summary>
/// The connections of one listener. Each user may have so many; a few more are taken, to be told so. Those that have not shown yet
/// whose they are have a room of their own.
/// </summary>
internal sealed class ConnectionRoom(UserUsage usage, ILogger log)
{
    private const int Unproven = 256;
    private const int ToBeTold = 16;

    private static readonly object UserKey = new();
    private static readonly object RefusalKey = new();

    private readonly Arrivals _unproven = new(Unproven);
    private readonly UserUsage _told = new(new UserLimits(ToBeTold, Calls: 0, Runs: 0, Sessions: 0));

    /// <summary>Whose call it is; null for root.</summary>
    public static string? UserOf(HttpContext context) => (string?)Item(context, UserKey);

    /// <summary>What to tell whoever has too many connections; null for everybody else.</summary>
    public static string? Refusal(HttpContext context) => (string?)Item(context, RefusalKey);

    /// <summary>Goes before TLS.</summary>
    public void Guard(ListenOptions listen) => _unproven.Guard(listen);

    /// <summary>Goes where it is known who the peer is.</summary>
    public void Count(ListenOptions listen) => listen.Use(next => connection => Count(connection, next));

    private static object? Item(HttpContext context, object key) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(key, out object? item) == true ? item : null;

    private async Task Count(ConnectionContext connection, ConnectionDelegate next)
    {
        _unproven.Forget(connection);
        string? user = User(connection);
        connection.Items[UserKey] = user;
        IDisposable? place = usage.Take(user, Limit.Connections, out string refusal);
        if (place is null)
        {
            connection.Items[RefusalKey] = refusal;
            place = _told.Take(user, Limit.Connections, out _);
        }

        using (place)
        {
            if (place is not null)
                await next(connection);
            else
                ConnectionLog.Closed(log, refusal);
        }
    }

    private static string? User(ConnectionContext connection)
    {
        if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is { } certificate && Peer.Of(certificate) is { } peer)
            return peer.ToString();
        return PeerCheck.UserOf(connection) switch
        {
            0 => null,
            { } user => $"The local user {user}",
            null => $"Whoever is at {(connection.RemoteEndPoint as IPEndPoint)?.Address}",
        };
    }
}

internal static partial class ConnectionLog
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "A connection is closed: {Reason}")]
    public static partial void Closed(ILogger log, string reason);
}
