using System.CommandLine;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart recordings export</c> and <c>verify</c>: a recording as it is, and whether it is as it was written.</summary>
internal static class RecordingExportCommand
{
    private static readonly string[] Streams = ["stdout", "stderr", "stdin"];

    public static Command Create()
    {
        var command = new Command("export", """
            Write a recording to a file, or to standard output.

            A terminal's is an asciicast of version 2, for asciinema and its like; any other's has a JSON array a line,
            with the bytes in base64. --raw writes the bytes of one stream alone: exact where there was no terminal.
            FILE is replaced when all of it is there, and only its owner can read it. What the audit log says of the
            recording is compared.

            Exit status: 0; 1 it is not what the audit log says, or that has nothing of it; 3 there is no such recording.

            Example: crashcart recordings export 3fa9 session.cast
            """);
        var id = new Argument<string>("ID");
        var file = new Argument<string>("FILE") { Arity = ArgumentArity.ZeroOrOne };
        var raw = new Option<string>("--raw") { HelpName = "STREAM", Description = "Only the bytes of stdout, stderr or stdin" };
        var coordinator = CommonOptions.Coordinator();
        command.Add(id);
        command.Add(file);
        command.Add(raw);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var stream = parsed.GetValue(raw);
            if (stream is not null && !Streams.Contains(stream))
                throw new CrashcartException(FailureReason.BadRequest, $"'{SafeText.Of(stream)}' is no value for --raw: give stdout, stderr or stdin.");
            return await ReadAsync(parsed.GetValue(id)!, parsed.GetValue(coordinator), async reading =>
            {
                if (parsed.GetValue(file) is { } path)
                    return await ToFileAsync(reading, path, stream);
                await CopyAsync(reading, StandardStream.Output, stream);
                return Compare(reading);
            });
        });
        return command;
    }

    public static Command CreateVerify()
    {
        var command = new Command("verify", """
            Say whether a recording is what was written.

            The audit log of the coordinator that has it says what its bytes were at its end; 'crashcart audit verify'
            there says whether the log is whole.

            Exit status: 0 it is; 1 it was altered, or the audit log has nothing of it; 3 there is no such recording.
            """);
        var id = new Argument<string>("ID");
        var coordinator = CommonOptions.Coordinator();
        command.Add(id);
        command.Add(coordinator);
        command.SetAction((parsed, _) => ReadAsync(parsed.GetValue(id)!, parsed.GetValue(coordinator), async reading =>
        {
            await CopyAsync(reading, Stream.Null, stream: null);
            var status = Compare(reading);
            if (status == ExitStatus.Success)
                StandardText.Output(SafeText.Of($"{reading.Info.Id}: {reading.Info.State}, and as the audit log says") + "\n");
            return status;
        }));
        return command;
    }

    private static async Task<int> ReadAsync(string id, string? coordinator, Func<RecordingReading, Task<int>> read)
    {
        using var client = new CoordinatorClient(Settings.Coordinator(coordinator));
        try
        {
            using var reading = await RecordingReading.OpenAsync(client, id);
            return await read(reading);
        }
        catch (CrashcartException e)
        {
            return RunsCommand.Report(e);
        }
    }

    private static async Task<int> ToFileAsync(RecordingReading reading, string path, string? stream)
    {
        var begun = $"{path}.{Environment.ProcessId}.part";
        using var stop = new CancellationTokenSource();
        var stoppedBy = 0;
        using var signals = new SignalRelay(signal =>
        {
            stoppedBy = signal;
            stop.Cancel();
        });
        try
        {
            await using (var to = new FileStream(begun, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
                await CopyAsync(reading, to, stream, stop.Token);
            File.Move(begun, path, overwrite: true);
            return Compare(reading);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitStatus.Signalled(stoppedBy);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrashcartException(FailureReason.BadRequest, $"Could not write {path}: {e.Message}", e);
        }
        finally
        {
            if (File.Exists(begun))
                File.Delete(begun);
        }
    }

    /// <param name="stream">Null: the recording as it is.</param>
    private static async Task CopyAsync(RecordingReading reading, Stream to, string? stream, CancellationToken stop = default)
    {
        if (stream is null)
        {
            while (await reading.ReadAsync(stop) is { IsEmpty: false } read)
                to.Write(read.Span);
            return;
        }

        await foreach (var line in reading.LinesAsync(stop))
        {
            if (line is { IsEmpty: false } && line.Span[0] == (byte)'[' && RecordedEvent.Parse(line) is { } happened && happened.Stream == stream)
                to.Write(happened.Data);
        }
    }

    private static int Compare(RecordingReading reading)
    {
        var info = reading.Info;
        if (info.AuditedSha256 == reading.Sha256)
            return ExitStatus.Success;
        StandardText.Complain(SafeText.Of(info switch
        {
            { State: "recording" } => $"{info.Id} goes on: what there is of it was read, and nothing proves it yet",
            { AuditedSha256.Length: > 0 } => $"{info.Id} was altered: the audit log says that its SHA-256 was {info.AuditedSha256}, and it is {reading.Sha256}",
            _ => $"The audit log of the coordinator that has {info.Id} does not say what it was: the coordinator was killed in the middle of it, or the log does not reach back so far",
        }));
        return ExitStatus.NotVerified;
    }
}
