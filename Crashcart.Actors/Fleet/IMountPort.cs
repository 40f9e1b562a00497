using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What a request for mounts needs of the coordinator.</summary>
public interface IMountPort
{
    /// <summary>Is cancelled when the client is gone: what is not mounted then is not mounted any more.</summary>
    CancellationToken Left { get; }

    /// <summary>The image of the fleet's for nodes that were given none; null when there is none.</summary>
    Task<WantedImage?> DefaultImageAsync();

    /// <summary>Tells the client that the node fetches the image. Never blocks.</summary>
    void Tell(string node, MountWaits waits);
}
