using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image ls</c>: the fleet's images, and who has them.</summary>
internal static class ImageListCommand
{
    private const string Nameless = "<none>";

    private static readonly string[] Headings = ["NAME:TAG", "DIGEST", "SIZE", "PUSHED", "COORDINATORS", "NODES"];

    public static Command Create()
    {
        var command = new Command("ls", """
            List the fleet's images: their names, and which coordinators and nodes have them.

            An image without a name is one that a node was given, or whose names were removed while it is in use.
            With --output wide coordinators and nodes are named.
            """);
        var format = CommonOptions.WideFormat();
        var coordinator = CommonOptions.Coordinator();
        command.Add(format);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var (isWide, isJson) = (Listing.IsWide(parsed, format), Listing.IsJson(parsed, format));
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Images.ListImagesAsync(new ListImagesRequest()));
            StandardText.Output(isJson
                ? JsonOutput.Of(answer.Images, Write)
                : TextTable.Of(Headings, answer.Images.SelectMany(image => Rows(image, answer.Nodes, isWide, DateTimeOffset.UtcNow))));
            foreach (var silent in answer.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            return answer.Unanswered.Count > 0 ? ExitStatus.Failed : ExitStatus.Success;
        });
        return command;
    }

    /// <summary>One for each name.</summary>
    internal static IEnumerable<IReadOnlyList<string>> Rows(FleetImage image, int nodes, bool isWide, DateTimeOffset now)
    {
        IEnumerable<ImageTag> tags = image.Tags.Count > 0 ? image.Tags : [new ImageTag { Name = Nameless }];
        return tags.Select(tag => (IReadOnlyList<string>)
        [
            tag.Name,
            ImageNames.Abbreviated(image.Digest),
            image.Size > 0 ? ByteSize.Of(image.Size) : "-",
            tag.PushedUnixMs > 0 ? PsCommand.Age(now - DateTimeOffset.FromUnixTimeMilliseconds(tag.PushedUnixMs)) + " ago" : "-",
            isWide ? Names(image.Coordinators) : image.Coordinators.Count.ToString(CultureInfo.InvariantCulture),
            isWide ? Names(image.Nodes) : string.Create(CultureInfo.InvariantCulture, $"{image.Nodes.Count} of {nodes}"),
        ]);
    }

    private static string Names(IEnumerable<string> names) => string.Join(",", names) is { Length: > 0 } all ? all : "-";

    private static void Write(Utf8JsonWriter json, FleetImage image)
    {
        json.WriteString("digest", image.Digest);
        json.WriteStartArray("tags");
        foreach (var tag in image.Tags)
        {
            json.WriteStartObject();
            json.WriteString("name", tag.Name);
            json.WriteString("pushed", DateTimeOffset.FromUnixTimeMilliseconds(tag.PushedUnixMs));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("size", image.Size);
        WriteNames(json, "coordinators", image.Coordinators);
        WriteNames(json, "nodes", image.Nodes);
    }

    private static void WriteNames(Utf8JsonWriter json, string property, IEnumerable<string> names)
    {
        json.WriteStartArray(property);
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }
}
