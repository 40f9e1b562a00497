using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>Shared mounts that a person asks for and takes away; they outlive this process.</summary>
public interface IPeopleMounts
{
    /// <summary>
    /// Mounts the image until somebody takes it away or the container ends. When the same image is there already, that is
    /// the answer, and from now on it stays when the sessions that made it are over.
    /// </summary>
    /// <exception cref="NodeException">Another image is mounted there, it is no place for this one, or the container cannot take a mount.</exception>
    Task<FoundMount> AttachAsync(MountImage request, ITarget target, IAttachedImage image, CancellationToken cancellation);

    /// <summary>Takes the mount at that place away.</summary>
    /// <returns>False when there was none of Crashcart's.</returns>
    /// <exception cref="NodeException">It is used; says by which processes.</exception>
    Task<bool> DetachAsync(UnmountImage request, ITarget target, CancellationToken cancellation);
}
