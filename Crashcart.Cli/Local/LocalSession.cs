using System.Runtime.InteropServices;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Local;

/// <summary>One tool in one target on this host, without any daemon.</summary>
internal static class LocalSession
{
    private const byte EndOfTransmission = 4;

    /// <summary>Runs the tool with the caller's streams or terminal.</summary>
    /// <returns>The tool's exit status, or 124 when it ran out of time.</returns>
    /// <exception cref="CrashcartException">The tool was not started.</exception>
    public static Task<int> RunAsync(TargetProcess target, AttachedImage image, SessionRequest request) =>
        request.Terminal
            ? RunAsync(RunInTerminalAsync, target, image, request)
            : Task.FromResult(Poller.Run(() => RunAsync(RunWithOurStreamsAsync, target, image, request)));

    private static async Task<int> RunAsync(
        Func<TargetProcess, AttachedImage, SessionRequest, SessionSignals, Task<int>> run,
        TargetProcess target, AttachedImage image, SessionRequest request)
    {
        // Nothing else that a session makes outlives this process.
        using var signals = new SessionSignals(early: request.Shared);
        try
        {
            return await run(target, image, request, signals);
        }
        catch (OperationCanceledException) when (signals.Early.IsCancellationRequested)
        {
            return signals.Status;
        }
    }

    // Nothing is copied: the tool reads and writes this process's own descriptors.
    private static async Task<int> RunWithOurStreamsAsync(
        TargetProcess target, AttachedImage image, SessionRequest request, SessionSignals signals)
    {
        await using var tool = await ToolProcess.StartAsync(target, image, request.ToSpec(default), ToolStreams.Inherit, signals.Early);
        signals.GoTo(tool);
        return await StatusAsync(tool, request.Timeout);
    }

    private static async Task<int> RunInTerminalAsync(
        TargetProcess target, AttachedImage image, SessionRequest request, SessionSignals signals)
    {
        await using var tool = await ToolProcess.StartAsync(target, image, request.ToSpec(UserTerminal.Size), ToolStreams.Terminal, signals.Early);
        signals.GoTo(tool);
        using var raw = UserTerminal.IsTerminal(0) ? UserTerminal.EnterRawMode() : null;
        using var resized = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => tool.Resize(UserTerminal.Size));
        using var continued = PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => raw?.Resume());

        // The person's input has no end of its own: the thread that waits for it ends with the process.
        new Thread(() => CopyInput(tool.Terminal!, isTerminal: raw is not null)) { IsBackground = true }.Start();
        var output = CopyOutputAsync(tool);
        var status = await StatusAsync(tool, request.Timeout);
        await output;
        return status;
    }

    private static async Task<int> StatusAsync(ToolProcess tool, TimeSpan? timeout)
    {
        try
        {
            return (await tool.Exited.WaitAsync(timeout ?? Timeout.InfiniteTimeSpan)).Code;
        }
        catch (TimeoutException)
        {
            tool.Kill();
            await tool.Exited;
            StandardText.Complain($"Timed out after {timeout!.Value.TotalSeconds:0.###} s; the tool was ended.");
            return ExitStatus.TimedOut;
        }
    }

    private static void CopyInput(Stream terminal, bool isTerminal)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (StandardStream.Input.Read(buffer) is > 0 and var count)
            {
                terminal.Write(buffer.AsSpan(0, count));
                terminal.Flush();
            }

            // A terminal has no end of file but the key for it.
            if (!isTerminal)
                terminal.Write([EndOfTransmission]);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The tool's side of the terminal is gone; its exit status tells the rest.
        }
    }

    private static async Task CopyOutputAsync(ToolProcess tool)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await tool.Terminal!.ReadAsync(buffer) is > 0 and var count)
                StandardStream.Output.Write(buffer.AsSpan(0, count));
        }
        catch (SyscallException)
        {
            // Nobody sees the terminal any more, so nobody could end the tool.
            tool.Kill();
            throw;
        }
    }
}
