namespace Crashcart.Actors.Node.Ports;

/// <summary>Whether the node is to take no new sessions. It outlives the process.</summary>
public interface ICordon
{
    bool IsSet { get; }

    /// <summary>Completes when it will be so after a crash, too.</summary>
    /// <exception cref="NodeException">It could not be kept.</exception>
    Task SetAsync(bool isSet);
}
