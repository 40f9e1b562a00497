namespace Crashcart.Actors.Node.Ports;

/// <summary>Opens the processes whose namespaces are entered.</summary>
public interface ITargets
{
    /// <summary>Opens a container's process and checks that it still is the container's.</summary>
    /// <exception cref="NodeException">Gone (<see cref="NodeFailure.TargetGone"/>), or not to be entered.</exception>
    Task<ITarget> OpenAsync(ContainerId container, int pid, CancellationToken cancellation);
}

/// <summary>A process that cannot be confused with a later one of the same PID.</summary>
public interface ITarget : IAsyncDisposable
{
    /// <summary>Completes when the process is gone.</summary>
    Task Exited { get; }
}
