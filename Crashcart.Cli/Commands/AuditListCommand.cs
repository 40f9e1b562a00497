using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;
using Grpc.Core;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart audit ls</c>: lines of a coordinator's audit log, or a node's.</summary>
internal static class AuditListCommand
{
    private const uint UsualLimit = 1000;

    private static readonly string[] Headings = ["TIME", "USER", "FROM", "EVENT", "VERB", "TARGET", "WHAT", "RESULT"];

    public static Command Create()
    {
        var command = new Command("ls", """
            List what the coordinator's audit log says, the newest last.

            It is the log of the coordinator that is asked; a node's, which says what happened on its host, by --node.
            --output json prints the lines as they are in the log, one a line.

            Example: crashcart audit ls --user alice --since 1h
            """);
        var user = new Option<string>("--user") { HelpName = "GLOB", Description = "Only what this user asked for, like alice or 'uid 0*'" };
        var target = new Option<string>("--target") { HelpName = "GLOB", Description = "Only in NODE/CONTAINER, CONTAINER or NODE, like 'db-*/web'; or a run, a session, an image" };
        var verb = new Option<string>("--verb") { HelpName = "VERB", Description = "Only this: exec, mount, unmount, kill, cordon, push and so on" };
        var since = new Option<string>("--since") { HelpName = "TIME", Description = "Only what is no older, like 1h or 2026-11-25T14:00:00Z" };
        var until = new Option<string>("--until") { HelpName = "TIME", Description = "Only what is no younger" };
        var limit = new Option<string>("--limit") { HelpName = "N", Description = $"At most so many, the newest; {UsualLimit} by default" };
        var node = new Option<string>("--node") { HelpName = "NODE", Description = "The log of this node; the newest 64 KiB of it that match" };
        var format = CommonOptions.Format();
        var coordinator = CommonOptions.Coordinator();
        foreach (Option option in (Option[])[user, target, verb, since, until, limit, node, format, coordinator])
            command.Add(option);
        command.SetAction(async (parsed, _) =>
        {
            var isJson = Listing.IsJson(parsed, format);
            var request = new ListAuditRequest
            {
                User = parsed.GetValue(user) ?? "",
                Target = parsed.GetValue(target) ?? "",
                Verb = parsed.GetValue(verb) ?? "",
                Node = parsed.GetValue(node) ?? "",
                SinceUnixMs = Quantities.UnixTime("--since", parsed.GetValue(since)),
                UntilUnixMs = Quantities.UnixTime("--until", parsed.GetValue(until)),
                Limit = parsed.GetValue(limit) is { } most ? Quantities.Count("--limit", most) : UsualLimit,
            };
            var lines = await AskAsync(parsed.GetValue(coordinator), request);
            StandardText.Output(isJson ? string.Concat(lines.Select(line => line + "\n")) : TextTable.Of(Headings, lines.Select(Row)));
            return ExitStatus.Success;
        });
        return command;
    }

    /// <summary>A line of the log as a row.</summary>
    internal static IReadOnlyList<string> Row(string line)
    {
        using var document = JsonDocument.Parse(line);
        var fields = document.RootElement;
        return
        [
            Text(fields, "time") is { Length: > 19 } time ? time[..19].Replace('T', ' ') : "-",
            HeldListing.OrDash(Text(fields, "user")),
            HeldListing.OrDash(Text(fields, "from")),
            Text(fields, "event"),
            HeldListing.OrDash(Text(fields, "verb")),
            HeldListing.OrDash(Where(fields)),
            HeldListing.OrDash(What(fields)),
            HeldListing.OrDash(Result(fields)),
        ];
    }

    private static string Where(JsonElement fields)
    {
        var container = HeldListing.NameOf(Text(fields, "container"), Text(fields, "containerId"), 0);
        return (Text(fields, "node"), Text(fields, "containerId")) switch
        {
            ({ Length: > 0 } node, { Length: > 0 }) => $"{node}/{container}",
            ({ Length: > 0 } node, _) => node,
            (_, { Length: > 0 }) => container,
            _ => Text(fields, "target") is { Length: > 0 } target ? target : Text(fields, "run"),
        };
    }

    private static string What(JsonElement fields) => fields.TryGetProperty("args", out var words)
        ? string.Join(' ', words.EnumerateArray().Select(word => word.GetString()))
        : Text(fields, "session") is { Length: > 0 } session ? session : Text(fields, "image");

    private static string Result(JsonElement fields)
    {
        var text = new StringBuilder();
        if (fields.TryGetProperty("exit", out var exit))
            text.Append(CultureInfo.InvariantCulture, $"exit {exit.GetInt32()} ");
        if (fields.TryGetProperty("omitted", out var omitted))
            text.Append(CultureInfo.InvariantCulture, $"{omitted.GetInt64()} without a line ");
        if (Text(fields, "problem") is { Length: > 0 } problem)
            text.Append(problem);
        else if (Text(fields, "reason") is { Length: > 0 } reason)
            text.Append(CultureInfo.InvariantCulture, $"\"{reason}\"");
        return text.ToString().TrimEnd();
    }

    private static string Text(JsonElement fields, string name) =>
        fields.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static async Task<IReadOnlyList<string>> AskAsync(string? coordinator, ListAuditRequest request)
    {
        using var client = new CoordinatorClient(Settings.Coordinator(coordinator));
        try
        {
            using var call = client.Audit.ListAudit(request);
            var lines = new List<string>();
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
                lines.Add(call.ResponseStream.Current.Json);
            return lines;
        }
        catch (RpcException e)
        {
            throw client.Explain(e);
        }
    }
}
