using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;
using Crashcart.Native;
using Crashcart.Node.Kernel;

namespace Crashcart.Node.Auditing;

/// <summary>What a node's audit log says of the requests that come to it.</summary>
internal static class NodeEvents
{
    public static AuditEvent Of(string name, StartSession request, IAttachedImage image) => Of(name, request.Tool.Explain ? "explain" : "exec", request.ContainerId, request.Origin) with
    {
        Run = request.RunId,
        Session = request.SessionId,
        Arguments = [.. request.Tool.Argv],
        Environment = [.. request.Tool.Environment.Select(pair => pair.Split('=')[0])],
        Profile = request.Tool.Profile.Length > 0 ? request.Tool.Profile : "debug",
        AddedCapabilities = [.. request.Tool.CapAdd],
        RunsAs = request.Tool.User,
        Image = request.Image?.Name ?? "",
        ImageDigest = ((KernelImage)image).ImageDigest,
    };

    public static AuditEvent Of(string name, MountImage request, IAttachedImage image) => Of(name, "mount", request.ContainerId, request.Origin) with
    {
        Target = request.Path,
        Image = request.Image?.Name ?? "",
        ImageDigest = ((KernelImage)image).ImageDigest,
    };

    public static AuditEvent Of(string name, UnmountImage request) => Of(name, "unmount", request.ContainerId, request.Origin) with { Target = request.Path };

    /// <exception cref="NodeException">It is not on disk, and must not happen.</exception>
    public static async Task RequireAsync(this AuditLog log, AuditEvent happens)
    {
        try
        {
            await log.WriteAsync(happens).ConfigureAwait(false);
        }
        catch (CrashcartException e)
        {
            throw new NodeException(NodeFailure.Failed, e.Message, e);
        }
    }

    private static AuditEvent Of(string name, string verb, string container, Origin? origin) => new(name)
    {
        Caller = origin is null ? null : new AuditCaller(origin.User, [.. origin.Groups], origin.From),
        Verb = verb,
        Container = origin?.Container ?? "",
        ContainerId = container,
        Reason = origin?.Reason ?? "",
    };
}
