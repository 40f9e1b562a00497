using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart recordings</c>: what coordinators have recorded, because their policy says so.</summary>
internal static class RecordingsCommand
{
    private static readonly string[] Headings = ["ID", "USER", "TIME", "TARGET", "COMMAND", "LENGTH", "SIZE", "STATE"];

    public static Command Create() => new("recordings", """
        Look at what was recorded of sessions.

        Coordinators record where a rule of their policy says 'record: output' or 'record: input'. ID is what
        'crashcart recordings ls' lists, or so much of its beginning as no other has.
        """)
    {
        List(),
        RecordingPlayCommand.Create(),
        RecordingExportCommand.Create(),
        RecordingExportCommand.CreateVerify(),
    };

    private static Command List()
    {
        var command = new Command("ls", """
            List the recordings of all coordinators, the newest first.

            STATE is recording (the session goes on), finished, or unfinished: it could not be written to the end, or
            its coordinator was killed.

            Example: crashcart recordings ls --user alice --since 7d
            """);
        var user = new Option<string>("--user") { HelpName = "GLOB", Description = "Only of this user's sessions, like alice or 'uid 0*'" };
        var target = new Option<string>("--target") { HelpName = "GLOB", Description = "Only in NODE/CONTAINER, CONTAINER or NODE, like 'db-*/web'" };
        var since = new Option<string>("--since") { HelpName = "TIME", Description = "Only what is no older, like 1h or 2026-11-25T14:00:00Z" };
        var format = CommonOptions.Format();
        var coordinator = CommonOptions.Coordinator();
        foreach (Option option in (Option[])[user, target, since, format, coordinator])
            command.Add(option);
        command.SetAction(async (parsed, _) =>
        {
            var isJson = Listing.IsJson(parsed, format);
            var request = new ListRecordingsRequest
            {
                User = parsed.GetValue(user) ?? "",
                Target = parsed.GetValue(target) ?? "",
                SinceUnixMs = Quantities.UnixTime("--since", parsed.GetValue(since)),
            };
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Recordings.ListRecordingsAsync(request));
            StandardText.Output(isJson ? JsonOutput.Of(answer.Recordings, Write) : TextTable.Of(Headings, answer.Recordings.Select(Row)));
            if (answer.LeftOut > 0)
                StandardText.Complain($"{answer.LeftOut} older ones are not listed; --user, --target and --since narrow the list");
            foreach (var silent in answer.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            return answer.Unanswered.Count > 0 ? ExitStatus.Failed : ExitStatus.Success;
        });
        return command;
    }

    internal static IReadOnlyList<string> Row(RecordingInfo recording) =>
    [
        recording.Id,
        recording.User,
        DateTimeOffset.FromUnixTimeMilliseconds(recording.StartedUnixMs).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        $"{recording.Node}/{HeldListing.NameOf(recording.Container, recording.ContainerId, 0)}",
        recording.Command,
        TimeSpan.FromMilliseconds(recording.LengthMs).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture),
        ByteSize.Of(recording.Size),
        recording.State,
    ];

    private static void Write(Utf8JsonWriter json, RecordingInfo recording)
    {
        json.WriteString("id", recording.Id);
        json.WriteString("user", recording.User);
        json.WriteString("started", DateTimeOffset.FromUnixTimeMilliseconds(recording.StartedUnixMs));
        json.WriteString("node", recording.Node);
        json.WriteString("container", recording.Container);
        json.WriteString("containerId", recording.ContainerId);
        json.WriteString("command", recording.Command);
        json.WriteBoolean("terminal", recording.Terminal);
        json.WriteBoolean("input", recording.Input);
        json.WriteNumber("lengthMs", recording.LengthMs);
        json.WriteNumber("size", recording.Size);
        json.WriteString("state", recording.State);
    }
}
