using System.CommandLine;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart recordings play</c>: a session again, in its time.</summary>
internal static class RecordingPlayCommand
{
    /// <summary>Attributes, modes of mouse, paste and keys, the alternate screen and the cursor: as a shell has them.</summary>
    private const string Restore = "\e[0m\e[?1000l\e[?1002l\e[?1003l\e[?1006l\e[?2004l\e[?1l\e>\e[?1047l\e[?25h\r\n";

    public static Command Create()
    {
        var command = new Command("play", """
            Show a recording in the time that it took.

            What was recorded goes to this terminal as it went to the one of then, with everything that it makes a
            terminal do. Ctrl-C stops. Where standard output is no terminal, it is written at once.

            Exit status: 0; 3 there is no such recording; 128 + the signal that stopped it.

            Example: crashcart recordings play 3fa9 --speed 2 --idle-limit 1s
            """);
        var id = new Argument<string>("ID");
        var speed = new Option<string>("--speed") { HelpName = "N", Description = "So many times as fast, like 2 or 0.5" };
        var idle = new Option<string>("--idle-limit") { HelpName = "TIME", Description = "Wait no longer than that where nothing happened, like 2s" };
        var coordinator = CommonOptions.Coordinator();
        command.Add(id);
        command.Add(speed);
        command.Add(idle);
        command.Add(coordinator);
        command.SetAction((parsed, _) => PlayAsync(
            parsed.GetValue(id)!,
            parsed.GetValue(speed) is { } factor ? Quantities.Factor("--speed", factor) : 1,
            parsed.GetValue(idle) is { } limit ? Quantities.Duration("--idle-limit", limit) : TimeSpan.MaxValue,
            parsed.GetValue(coordinator)));
        return command;
    }

    private static async Task<int> PlayAsync(string id, double speed, TimeSpan idleLimit, string? coordinator)
    {
        using var stop = new CancellationTokenSource();
        var stoppedBy = 0;
        using var signals = new SignalRelay(signal =>
        {
            stoppedBy = signal;
            stop.Cancel();
        });
        using var client = new CoordinatorClient(Settings.Coordinator(coordinator));
        var isTerminal = UserTerminal.IsTerminal(1);
        try
        {
            using var reading = await RecordingReading.OpenAsync(client, id, stop.Token);
            try
            {
                await ShowAsync(reading, speed, isTerminal ? idleLimit : TimeSpan.Zero, stop.Token);
            }
            finally
            {
                if (isTerminal && reading.Info.Terminal)
                    StandardText.Output(Restore);
            }

            return ExitStatus.Success;
        }
        catch (CrashcartException e)
        {
            return RunsCommand.Report(e);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitStatus.Signalled(stoppedBy);
        }
    }

    private static async Task ShowAsync(RecordingReading reading, double speed, TimeSpan idleLimit, CancellationToken stop)
    {
        var before = TimeSpan.Zero;
        await foreach (var line in reading.LinesAsync(stop))
        {
            if (line.IsEmpty || line.Span[0] != (byte)'[')
                continue;
            var happened = RecordedEvent.Parse(line);
            if (happened.Stream is not ("stdout" or "stderr"))
                continue;
            var pause = happened.At - before;
            before = happened.At;
            var wait = (pause < idleLimit ? pause : idleLimit) / speed;
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, stop);
            stop.ThrowIfCancellationRequested();
            (happened.Stream == "stderr" ? StandardStream.Error : StandardStream.Output).Write(happened.Data);
        }
    }
}
