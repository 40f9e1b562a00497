namespace Crashcart.Actors.Node.Ports;

/// <summary>Makes the mount that everything in a container sees.</summary>
public interface ISharedMounts
{
    /// <summary>
    /// Mounts the image in the container. Disposing the answer unmounts what this call mounted; a mount that was there before
    /// belongs to somebody else and stays.
    /// </summary>
    /// <exception cref="NodeException">Another image is mounted there, or the container cannot take a mount.</exception>
    Task<IAsyncDisposable> MountAsync(ITarget target, IAttachedImage image, CancellationToken cancellation);
}
