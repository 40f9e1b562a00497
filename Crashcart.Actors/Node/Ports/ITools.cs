using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>Starts tools in containers.</summary>
public interface ITools
{
    /// <summary>Starts a tool; the answer says that it was executed. When cancelled, nothing of it stays.</summary>
    /// <exception cref="NodeException">The tool does not exist, cannot be executed, or the target is not as needed.</exception>
    Task<ITool> StartAsync(StartSession request, ITarget target, IAttachedImage image, CancellationToken cancellation);
}

/// <summary>A running tool and everything that it started. Disposing kills what is left of it, and waits until nothing is.</summary>
public interface ITool : IAsyncDisposable
{
    /// <summary>To the tool; null when it has no standard input.</summary>
    Stream? StandardInput { get; }

    /// <summary>From the tool: standard output, or the terminal.</summary>
    Stream StandardOutput { get; }

    /// <summary>From the tool; null with a terminal.</summary>
    Stream? StandardError { get; }

    /// <summary>The exit status (128 + N when signal N ended the tool), when everything in the session is gone.</summary>
    Task<int> Exited { get; }

    /// <summary>What ended it from outside, in one sentence, as far as that can be seen when it has exited; else empty.</summary>
    string WhyExited { get; }

    /// <summary>End of file for the tool; with a terminal there is none, and nothing happens.</summary>
    void CloseInput();

    /// <summary>Sends a Linux signal number to the tool's process group; a tool that is gone is no error.</summary>
    void Signal(int signal);

    /// <summary>Does nothing without a terminal.</summary>
    void Resize(int rows, int columns);

    /// <summary>Kills everything in the session.</summary>
    void Kill();
}
