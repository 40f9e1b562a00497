using System.Net;
using Crashcart.Audit;
using Crashcart.Coordinator.Auditing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Crashcart.Coordinator.Hosting;

/// <summary>Tells the audit log of connections that came to nothing: their TLS handshake failed, or their certificate was not taken.</summary>
internal sealed class HandshakeWatch(Denials denials)
{
    private static readonly object TakenKey = new();
    private static readonly object RefusalKey = new();

    /// <summary>Goes before TLS.</summary>
    public void Apply(ListenOptions listen) => listen.Use(next => connection => TellIfNotTaken(connection, next));

    public static void Take(BaseConnectionContext connection) => connection.Items[TakenKey] = true;

    /// <param name="why">One sentence.</param>
    public static void Refuse(BaseConnectionContext connection, string why) => connection.Items[RefusalKey] = why;

    private async Task TellIfNotTaken(ConnectionContext connection, ConnectionDelegate next)
    {
        await next(connection);
        if (connection.Items.ContainsKey(TakenKey))
            return;
        denials.Tell(new AuditEvent("denied")
        {
            Caller = new AuditCaller("", [], (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? ""),
            Verb = Denials.Connect,
            Problem = connection.Items.TryGetValue(RefusalKey, out object? refusal) ? (string)refusal! : "The TLS handshake failed.",
        });
    }
}
