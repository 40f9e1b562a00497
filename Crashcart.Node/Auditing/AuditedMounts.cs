using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;

namespace Crashcart.Node.Auditing;

/// <summary>People's mounts that are in the audit log before they are made or taken away, and afterwards with how it went.</summary>
internal sealed class AuditedMounts(IPeopleMounts mounts, AuditLog log) : IPeopleMounts
{
    public Task<FoundMount> AttachAsync(MountImage request, ITarget target, IAttachedImage image, CancellationToken cancellation) =>
        RunAsync(name => NodeEvents.Of(name, request, image), "mount", () => mounts.AttachAsync(request, target, image, cancellation));

    public Task<bool> DetachAsync(UnmountImage request, ITarget target, CancellationToken cancellation) =>
        RunAsync(name => NodeEvents.Of(name, request), "unmount", () => mounts.DetachAsync(request, target, cancellation));

    private async Task<T> RunAsync<T>(Func<string, AuditEvent> describe, string what, Func<Task<T>> act)
    {
        await log.RequireAsync(describe(what + ".start")).ConfigureAwait(false);
        try
        {
            var result = await act().ConfigureAwait(false);
            log.Note(describe(what + ".end"));
            return result;
        }
        catch (Exception e)
        {
            log.Note(describe(what + ".end") with { Problem = e.Message });
            throw;
        }
    }
}
