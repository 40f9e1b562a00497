using System.Runtime.InteropServices;
using Crashcart.Api;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;
using Crashcart.Native;
using TerminalSize = Crashcart.Api.TerminalSize;

namespace Crashcart.Cli.Remote;

/// <summary>One tool in one target of the fleet, with the caller's streams or terminal: bytes as they are, both ways.</summary>
internal static class RemoteSession
{
    private const byte ControlC = 3;

    /// <param name="target">NODE/CONTAINER</param>
    /// <param name="image">An image of the fleet's; empty: the node's own.</param>
    /// <returns>The tool's exit status.</returns>
    /// <exception cref="CrashcartException">The coordinator cannot be reached or refuses.</exception>
    public static async Task<int> RunAsync(CoordinatorClient client, string target, string image, SessionRequest request)
    {
        using var call = new RunCall(client);
        using var raw = request.Terminal && UserTerminal.IsTerminal(0) ? UserTerminal.EnterRawMode() : null;
        using var continued = raw is null ? null : PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ => raw.Resume());
        using var resized = !request.Terminal ? null : PosixSignalRegistration.Create(
            PosixSignal.SIGWINCH, context => _ = call.SendAsync(new RunInput { Resize = SizeNow() }));

        var start = new RunRequest
        {
            Container = target,
            Image = image,
            Tool = request.ToTool(UserTerminal.Size, stdin: true),
            Reason = request.Reason,
            TimeoutMs = (ulong)(request.Timeout?.TotalMilliseconds ?? 0),
        };
        var wait = ImageWait.OnStandardError();
        return await call.RunAsync(start, wait, events => ConsumeAsync(
            events, StandardStream.Output, StandardStream.Error, OnStarted, wait, call.IsWaiting));

        void OnStarted() => ClientInput.Start(call, piece =>
        {
            // In raw mode it comes as a byte, and there is no terminal yet that would make a signal of it.
            if (piece.Span.Contains(ControlC))
                call.InterruptWaiting();
        });
    }

    /// <summary>Follows the events to the tool's exit status.</summary>
    /// <param name="started">Called when the run has its target.</param>
    /// <param name="wait">Tells that the node fetches the image.</param>
    /// <param name="waiting">Takes whether it does.</param>
    internal static async Task<int> ConsumeAsync(
        IAsyncEnumerable<RunEvent> events, Stream output, Stream error, Action started, ImageWait wait, Action<bool> waiting)
    {
        int? status = null;
        var node = "";
        await foreach (var step in events)
        {
            if (step.EventCase is not RunEvent.EventOneofCase.SessionWaits)
            {
                waiting(false);
                wait.Done(node);
            }

            switch (step.EventCase)
            {
                case RunEvent.EventOneofCase.Started:
                    if (step.Started.Targets.Count == 0)
                        return Failed(step.Started.Unanswered is [var silent, ..] ? silent.Message : "There is no such container; 'crashcart ps' lists what runs.");
                    node = step.Started.Targets[0].Node;
                    started();
                    break;
                case RunEvent.EventOneofCase.SessionWaits:
                    waiting(true);
                    wait.On(node, step.SessionWaits.Image, step.SessionWaits.Received, step.SessionWaits.Size);
                    break;
                case RunEvent.EventOneofCase.Output:
                    (step.Output.Stderr ? error : output).Write(step.Output.Data.Span);
                    break;
                case RunEvent.EventOneofCase.SessionEnded when step.SessionEnded.OutcomeCase == SessionEnded.OutcomeOneofCase.ExitCode:
                    if (step.SessionEnded.Why.Length > 0)
                        StandardText.Complain(SafeText.Of($"The session was ended: {step.SessionEnded.Why}"));
                    status = step.SessionEnded.ExitCode;
                    break;
                case RunEvent.EventOneofCase.SessionEnded:
                    _ = Failed(step.SessionEnded.Failure.Message);
                    status = step.SessionEnded.Failure.ExitCode;
                    break;
            }
        }

        return status ?? Failed("The coordinator ended the run before the tool's exit status was known; look at its log.");
    }

    private static int Failed(string sentence)
    {
        StandardText.Complain(SafeText.Of(sentence));
        return ExitStatus.Failed;
    }

    private static TerminalSize SizeNow() => new() { Rows = UserTerminal.Size.Rows, Columns = UserTerminal.Size.Columns };
}
