using System.CommandLine;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart ps</c>: the fleet's containers.</summary>
internal static class PsCommand
{
    internal static readonly string[] Headings = ["NODE", "CONTAINER", "ID", "IMAGE", "STATE", "UP", "LABELS"];

    public static Command Create()
    {
        var command = new Command("ps", """
            List the fleet's running containers.

            When a host did not answer, the others' containers are listed, and the exit status is 125.
            """);
        var selection = new SelectionOptions();
        var format = CommonOptions.Format();
        var coordinator = CommonOptions.Coordinator();
        selection.AddFilterTo(command);
        command.Add(format);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var isJson = Listing.IsJson(parsed, format);
            var asked = selection.ReadFilter(parsed);
            var request = new ListContainersRequest
            {
                Selector = asked.Selector,
                Node = asked.Node,
                Name = asked.Name,
                Image = asked.Image,
                Runtime = asked.Runtime,
            };
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Fleet.ListContainersAsync(request));
            var containers = answer.Containers
                .OrderBy(container => container.Node, StringComparer.Ordinal)
                .ThenBy(container => container.Name, StringComparer.Ordinal)
                .ToList();
            StandardText.Output(isJson
                ? JsonOutput.Of(containers, Write)
                : TextTable.Of(Headings, containers.Select(container => Row(container, DateTimeOffset.UtcNow))));
            foreach (var silent in answer.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            return answer.Unanswered.Count > 0 ? ExitStatus.Failed : ExitStatus.Success;
        });
        return command;
    }

    internal static IReadOnlyList<string> Row(Container container, DateTimeOffset now) =>
    [
        container.Node,
        container.Name.Length > 0 ? container.Name : "-",
        container.Id[..Math.Min(12, container.Id.Length)],
        container.Image,
        container.State,
        container.StartedUnixMs == 0 ? "-" : Age(now - DateTimeOffset.FromUnixTimeMilliseconds(container.StartedUnixMs)),
        string.Join(',', container.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}")),
    ];

    /// <summary>In the largest unit that it has one of.</summary>
    internal static string Age(TimeSpan age) => age switch
    {
        { TotalSeconds: < 0 } => "0s",
        { TotalMinutes: < 1 } => $"{(int)age.TotalSeconds}s",
        { TotalHours: < 1 } => $"{(int)age.TotalMinutes}m",
        { TotalDays: < 1 } => $"{(int)age.TotalHours}h",
        _ => $"{(int)age.TotalDays}d",
    };

    private static void Write(Utf8JsonWriter json, Container container)
    {
        json.WriteString("node", container.Node);
        json.WriteString("id", container.Id);
        json.WriteString("name", container.Name);
        json.WriteString("image", container.Image);
        json.WriteString("state", container.State);
        json.WriteString("runtime", container.Runtime);
        json.WriteStartObject("labels");
        foreach (var (key, value) in container.Labels.OrderBy(label => label.Key, StringComparer.Ordinal))
            json.WriteString(key, value);
        json.WriteEndObject();
        if (container.StartedUnixMs != 0)
            json.WriteString("started", DateTimeOffset.FromUnixTimeMilliseconds(container.StartedUnixMs));
    }
}
