namespace Crashcart.Native;

/// <summary>
/// One tool running in a target, under its guardian (<c>crashcart-enter</c>). When this process dies, or disposes it, the
/// guardian kills everything in the session's cgroup and removes the cgroup.
/// </summary>
public sealed class ToolProcess : IAsyncDisposable
{
    /// <summary>To the tool; disposing it is end of file. Null unless <see cref="ToolStreams.Pipes"/>.</summary>
    public Stream? StandardInput => throw new NotSupportedException();

    /// <summary>From the tool; null when inherited or a terminal.</summary>
    public Stream? StandardOutput => throw new NotSupportedException();

    public Stream? StandardError => throw new NotSupportedException();

    /// <summary>The terminal's master side: reads end with 0 bytes when the last slave is closed. Null unless <see cref="ToolStreams.Terminal"/>.</summary>
    public Stream? Terminal => throw new NotSupportedException();

    /// <summary>Completes when the tool has ended and everything in its session is gone (processes, mount, cgroup).</summary>
    public Task<ToolExit> Exited => throw new NotSupportedException();

    /// <summary>
    /// Starts the tool. When the task completes the tool has been executed; every failure before that is thrown and leaves nothing.
    /// </summary>
    /// <exception cref="CrashcartException">The target, the image or the tool is not as needed; says which, and why.</exception>
    public static Task<ToolProcess> StartAsync(
        TargetProcess target, AttachedImage image, ToolSpec spec, ToolStreams streams, CancellationToken cancellation = default) =>
        throw new NotSupportedException();

    /// <summary>Sends a Linux signal number to the tool's process group. A tool that is gone is no error.</summary>
    public void Signal(int signal) => _ = Exited;

    public void Resize(TerminalSize size) => _ = Exited;

    /// <summary>Kills everything in the session; <see cref="Exited"/> completes soon after.</summary>
    public void Kill() => _ = Exited;

    /// <summary>Kills what still runs and waits until nothing of the session is left.</summary>
    public ValueTask DisposeAsync() => default;
}
