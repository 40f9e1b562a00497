using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart nodes</c>: the fleet's hosts.</summary>
internal static class NodesCommand
{
    private static readonly string[] Headings = ["NODE", "STATE", "VERSION", "RUNTIMES", "CONTAINERS", "MOUNTS", "SESSIONS", "IMAGES"];

    private static readonly string[] WideHeadings = [.. Headings, "LOOP DEVICES", "ADOPTED", "RECLAIMED", "ADDRESS", "KERNEL"];

    public static Command Create()
    {
        var command = new Command("nodes", """
            List the fleet's hosts: their state, what runs there and which images they have.

            A host that did not answer is listed with what is known of it, and named on standard error. IMAGES is
            the image that a host was given; one that is not the image of most hosts is marked (!).

            --output wide adds the loop devices of images that are attached: one that nobody uses is there for the
            next session (crashcart-node --linger); how many mounts that were there the host has taken up since its
            node started (ADOPTED); and how many mounts and sessions of killed processes it has taken away
            (RECLAIMED).
            """);
        var format = CommonOptions.WideFormat();
        var coordinator = CommonOptions.Coordinator();
        command.Add(format);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var (isWide, isJson) = (Listing.IsWide(parsed, format), Listing.IsJson(parsed, format));
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Fleet.ListNodesAsync(new ListNodesRequest()));
            var nodes = answer.Nodes.OrderBy(node => node.Name, StringComparer.Ordinal).ToList();
            var skew = DigestSkew.Of(nodes);
            StandardText.Output(
                isJson ? JsonOutput.Of(nodes, (json, node) => Write(json, node, skew))
                : isWide ? TextTable.Of(WideHeadings, nodes.Select(node => WideRow(node, skew)))
                : TextTable.Of(Headings, nodes.Select(node => Row(node, skew))));
            if (skew.Describe() is { } sentence)
                StandardText.Complain(SafeText.Of(sentence));
            foreach (var node in nodes.Where(node => node.Problem.Length > 0))
                StandardText.Complain(SafeText.Of($"{node.Name}: {node.Problem}"));
            return ExitStatus.Success;
        });
        return command;
    }

    internal static IReadOnlyList<string> Row(Node node, DigestSkew skew) =>
    [
        node.Name,
        node.State,
        OrDash(node.Version),
        OrDash(string.Join(", ", node.Runtimes.Select(runtime => runtime.Problem.Length > 0 ? $"{runtime.Name} (down)" : $"{runtime.Name} {runtime.Version}"))),
        Count(node, node.Containers),
        Count(node, node.Mounts),
        Count(node, node.Sessions),
        OrDash(string.Join(", ", node.ImageDigests.Select(Short))) + (skew.Deviates(node) ? " (!)" : ""),
    ];

    internal static IReadOnlyList<string> WideRow(Node node, DigestSkew skew) =>
    [
        .. Row(node, skew),
        OrDash(string.Join(", ", node.Images.Where(image => image.LoopDevice.Length > 0).Select(image => image.LoopDevice + (image.Users.Count == 0 ? " (unused)" : "")))),
        Count(node, node.Adopted),
        Count(node, node.Reclaimed),
        OrDash(node.Address),
        OrDash(node.Kernel),
    ];

    private static string Count(Node node, int count) => node.Problem.Length > 0 ? "-" : count.ToString(CultureInfo.InvariantCulture);

    private static string OrDash(string text) => text.Length > 0 ? text : "-";

    // sha256:HEX, as short as docker(1) prints ids.
    private static string Short(string digest)
    {
        var hex = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return hex[..Math.Min(12, hex.Length)];
    }

    private static void Write(Utf8JsonWriter json, Node node, DigestSkew skew)
    {
        json.WriteString("name", node.Name);
        json.WriteString("address", node.Address);
        json.WriteString("state", node.State);
        json.WriteString("version", node.Version);
        json.WriteString("kernel", node.Kernel);
        json.WriteString("architecture", node.Architecture);
        json.WriteStartArray("runtimes");
        foreach (var runtime in node.Runtimes)
        {
            json.WriteStartObject();
            json.WriteString("name", runtime.Name);
            json.WriteString("version", runtime.Version);
            json.WriteString("problem", runtime.Problem);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("containers", node.Containers);
        json.WriteNumber("mounts", node.Mounts);
        json.WriteNumber("sessions", node.Sessions);
        json.WriteNumber("adopted", node.Adopted);
        json.WriteNumber("reclaimed", node.Reclaimed);
        json.WriteStartArray("imageDigests");
        foreach (var digest in node.ImageDigests)
            json.WriteStringValue(digest);
        json.WriteEndArray();
        json.WriteBoolean("imageDeviates", skew.Deviates(node));
        json.WriteStartArray("images");
        foreach (var image in node.Images)
        {
            json.WriteStartObject();
            json.WriteString("digest", image.Digest);
            json.WriteNumber("size", image.Size);
            json.WriteBoolean("own", image.Own);
            json.WriteString("loopDevice", image.LoopDevice);
            json.WriteStartArray("users");
            foreach (var user in image.Users)
                json.WriteStringValue(user);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("problem", node.Problem);
    }
}
