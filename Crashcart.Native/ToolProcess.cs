using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// One tool running in a target, under its guardian (<c>crashcart-enter</c>). When this process dies, or disposes it, the
/// guardian kills everything in the session's cgroup and removes the cgroup.
/// </summary>
public sealed class ToolProcess : IAsyncDisposable
{
    /// <summary>From the request to the tool's execve(2). A hostile container can make an open(2) in its /dev hang for ever.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    private readonly ToolSession _session;
    private readonly ToolPipes _pipes;
    private readonly DescriptorStream? _terminal;

    private ToolProcess(ToolSession session, ToolPipes pipes, DescriptorStream? terminal)
    {
        _session = session;
        _pipes = pipes;
        _terminal = terminal;
        Exited = EndAsync();
    }

    /// <summary>To the tool; disposing it is end of file. Null unless <see cref="ToolStreams.Pipes"/>.</summary>
    public Stream? StandardInput => _pipes.StandardInput;

    /// <summary>From the tool; null when inherited or a terminal.</summary>
    public Stream? StandardOutput => _pipes.StandardOutput;

    /// <summary>From the tool; null when inherited or a terminal.</summary>
    public Stream? StandardError => _pipes.StandardError;

    /// <summary>The terminal's master side: reads end with 0 bytes when the last slave is closed. Null unless <see cref="ToolStreams.Terminal"/>.</summary>
    public Stream? Terminal => _terminal;

    /// <summary>Completes when the tool has ended and everything in its session is gone (processes, mount, cgroup).</summary>
    public Task<ToolExit> Exited { get; }

    /// <summary>
    /// Starts the tool. When the task completes the tool has been executed; every failure before that is thrown and leaves nothing.
    /// </summary>
    /// <exception cref="CrashcartException">The target, the image or the tool is not as needed; says which, and why.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static async Task<ToolProcess> StartAsync(
        TargetProcess target, AttachedImage image, ToolSpec spec, ToolStreams streams, CancellationToken cancellation = default)
    {
        ToolSpecCheck.Require(spec, streams);
        using var limit = Deadline.After(StartLimit, cancellation);
        ToolPipes pipes = ToolPipes.Open(streams);
        ToolSession? session = null;
        try
        {
            session = await ToolSession.StartAsync(target, image, spec, pipes, limit.Token).ConfigureAwait(false);
            pipes.CloseTheirs();
            Descriptor? terminal = await session.WaitStartedAsync(limit.Token).ConfigureAwait(false);
            return new ToolProcess(
                session, pipes, terminal is null ? null : new DescriptorStream(terminal, FileAccess.ReadWrite));
        }
        catch (Exception e)
        {
            pipes.Dispose();
            if (session is not null)
                await session.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException && !cancellation.IsCancellationRequested)
                throw TooSlow(target, spec);
            throw;
        }
    }

    /// <summary>Sends a Linux signal number to the tool's process group. A tool that is gone is no error.</summary>
    public void Signal(int signal) => _session.Control.SendSignal(signal);

    /// <summary>Tells the tool of its terminal's new size, ioctl_tty(2). Without a terminal, or after its end, nothing happens.</summary>
    public unsafe void Resize(TerminalSize size)
    {
        if (_terminal is null)
            return;
        try
        {
            using Descriptor.Borrowed terminal = _terminal.Borrow();
            var window = new winsize { ws_row = size.Rows, ws_col = size.Columns };
            _ = ioctl(terminal.Number, TIOCSWINSZ, &window);
        }
        catch (ObjectDisposedException)
        {
            // The tool has ended, and the terminal with it.
        }
    }

    /// <summary>Kills everything in the session; <see cref="Exited"/> completes soon after.</summary>
    public void Kill() => _session.Control.SendKill();

    /// <summary>Kills what still runs and waits until nothing of the session is left.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
            await _session.StopAsync().ConfigureAwait(false);
        await ((Task)Exited).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pipes.Dispose();
        if (_terminal is not null)
            await _terminal.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<ToolExit> EndAsync()
    {
        ToolExit exit = await _session.WaitExitedAsync().ConfigureAwait(false);
        await _session.DisposeAsync().ConfigureAwait(false);
        return exit;
    }

    private static CrashcartException TooSlow(TargetProcess target, ToolSpec spec) => new(
        FailureReason.TargetHostile,
        $"'{spec.Arguments[0]}' did not start in the container of process {target.Pid} within {StartLimit.TotalSeconds:0} s, "
        + "for something in its file systems does not answer: look at what is mounted in its /dev and root.");
}
