using Crashcart.Actors.Protocol;
using Crashcart.Audit;
using Crashcart.Coordinator.Hosting;
using Crashcart.Native;
using Crashcart.Node.Identity;
using Grpc.Core;

namespace Crashcart.Coordinator.Auditing;

/// <summary>Who calls, as audit logs name them.</summary>
internal static class Callers
{
    public static AuditCaller Caller(this ServerCallContext call)
    {
        HttpContext context = call.GetHttpContext();
        if (PeerCheck.UserOf(context) is { } uid)
            return new AuditCaller(UnixUser.NameOf(uid) is { } name ? $"uid {uid} ({name})" : $"uid {uid}", [], "unix");
        string from = context.Connection.RemoteIpAddress?.ToString() ?? "";
        return context.Connection.ClientCertificate is { } certificate && Peer.Of(certificate) is { } peer
            ? new AuditCaller(peer.ToString(), peer.Groups, from)
            : new AuditCaller("", [], from);
    }

    /// <summary>What nodes are told of it.</summary>
    public static Origin ToOrigin(AuditCaller caller, string reason) =>
        new() { User = caller.User, Groups = { caller.Groups }, From = caller.From, Reason = reason };
}
