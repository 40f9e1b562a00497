using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Has crashcart-enter attach or detach a shared mount, and turns its answer into a result.</summary>
internal static class SharedMountProgram
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Mounts the tree, unless somebody else has mounted an image meanwhile.</summary>
    /// <param name="willMount">Is called when nobody else can mount any more, and nothing is mounted yet.</param>
    /// <exception cref="CrashcartException">The container's /dev is not as it has to be.</exception>
    public static async Task AttachAsync(
        TargetProcess target, MountPath at, Descriptor tree, Action willMount, CancellationToken cancellation)
    {
        using SharedMountLock held = await SharedMountLock.TakePointAsync(target, SharedMountPoint.Of(target, at), Limit, cancellation).ConfigureAwait(false);
        EnterRequest request = Request(target, at);
        request.Add("tree", tree);
        try
        {
            if (SharedMount.Find(target, at) is not null)
                return;
            willMount();
            FaultPoint.Reach("mount-locked");
            await RunAsync("attach", request, target, cancellation).ConfigureAwait(false);
            FaultPoint.Reach("mount-attached");
        }
        finally
        {
            held.RemoveIfExclusive();
        }
        if (SharedMount.Find(target, at) is not null)
            return;
        EnterRequest withdrawal = Request(target, at);
        withdrawal.Add("tree", tree);
        await RunAsync("withdraw", withdrawal, target, cancellation).ConfigureAwait(false);
        throw new CrashcartException(
            FailureReason.TargetHostile,
            $"The image was mounted at {at} in the container of process {target.Pid} and is not there, for something in it "
            + "moves or covers it: it was taken back; use the private mount.");
    }

    /// <returns>False when it is still there, but not at its path.</returns>
    /// <exception cref="CrashcartException">Busy, or the container's /dev is not as it has to be.</exception>
    public static async Task<bool> DetachAsync(TargetProcess target, SharedMount mount, bool lazily, CancellationToken cancellation)
    {
        SharedMountPoint point = SharedMountPoint.Of(target, mount.At);
        using SharedMountLock held = await SharedMountLock.TakePointAsync(target, point, Limit, cancellation).ConfigureAwait(false);
        EnterRequest request = Request(target, mount.At);
        request.Add("mount", mount.MountId);
        request.Add("lazy", lazily);
        request.Add("keep", point.IsUsedElsewhere(target));
        try
        {
            FaultPoint.Reach("unmount-locked");
            await RunAsync("detach", request, target, cancellation).ConfigureAwait(false);
            FaultPoint.Reach("unmount-detached");
        }
        finally
        {
            held.RemoveIfExclusive();
        }
        // Not what the program believes to have unmounted counts: the container may have mounted something there just before.
        return target.ReadMounts().All(other => other.Id != mount.MountId);
    }

    private static EnterRequest Request(TargetProcess target, MountPath at)
    {
        var request = new EnterRequest(target);
        request.Add("at", at.DirectoryName);
        return request;
    }

    private static async Task RunAsync(string mode, EnterRequest request, TargetProcess target, CancellationToken cancellation)
    {
        using Descriptor none = Descriptor.Open("/dev/null", O_RDWR);
        using var limit = Deadline.After(Limit, cancellation);
        await using EnterChild program = EnterProgram.Start(mode, request, none, none, none);
        try
        {
            EnterMessage? answer = await program.Control.ReceiveAsync(limit.Token).ConfigureAwait(false);
            if (answer is { Kind: EnterMessageKind.Failed } failed)
                throw EnterFailure.Describe(failed, target, spec: null);
            if (answer is null)
            {
                throw new CrashcartException(
                    FailureReason.System, $"crashcart-enter was killed before it could {mode} the image in the container of process {target.Pid}: try again.");
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new CrashcartException(
                FailureReason.TargetHostile,
                $"Could not {mode} the image in the container of process {target.Pid} within {Limit.TotalSeconds:0} s, "
                + "for something in its file systems does not answer: look at what is mounted in its /dev.");
        }
    }
}
