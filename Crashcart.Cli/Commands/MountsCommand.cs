using System.CommandLine;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart mounts</c>: where the image is mounted for whole containers, and who holds it there.</summary>
internal static class MountsCommand
{
    private static readonly string[] Headings = ["NODE", "CONTAINER", "PATH", "LEASE", "HELD BY", "AGE", "DEVICE", "IMAGE"];

    public static Command Create() => HeldListing.Create(
        "mounts",
        """
        List where the toolbox is mounted for whole containers, and who holds it.

        It is what the hosts' kernels have now, whoever mounted it. A mount that sessions hold goes with the
        last of them and has no lease. When a host did not answer, the others' are listed, and the exit status
        is 125.
        """,
        (answer, isJson) =>
        {
            var mounts = answer.Mounts
                .OrderBy(mount => mount.Node, StringComparer.Ordinal)
                .ThenBy(mount => mount.Container, StringComparer.Ordinal)
                .ThenBy(mount => mount.ContainerId, StringComparer.Ordinal)
                .ThenBy(mount => mount.Path, StringComparer.Ordinal);
            return isJson ? JsonOutput.Of(mounts, Write) : TextTable.Of(Headings, mounts.Select(mount => Row(mount, DateTimeOffset.UtcNow)));
        });

    internal static IReadOnlyList<string> Row(MountLease mount, DateTimeOffset now) =>
    [
        mount.Node,
        HeldListing.NameOf(mount.Container, mount.ContainerId, mount.Pid),
        PathOf(mount),
        HeldListing.OrDash(mount.LeaseId),
        mount.Holders.Count > 0 ? string.Join(", ", mount.Holders) : "a session on the host",
        HeldListing.Age(mount.SinceUnixMs, now),
        mount.LoopDevice,
        mount.ImageDigest.Length > 0 ? HeldListing.Digest(mount.ImageDigest) : mount.Image,
    ];

    // A node of an earlier version knows one place only, and does not name it.
    private static string PathOf(MountLease mount) => mount.Path.Length > 0 ? mount.Path : SharedMount.Path;

    private static void Write(Utf8JsonWriter json, MountLease mount)
    {
        json.WriteString("node", mount.Node);
        json.WriteString("container", mount.Container);
        json.WriteString("containerId", mount.ContainerId);
        json.WriteNumber("pid", mount.Pid);
        json.WriteString("path", PathOf(mount));
        json.WriteString("lease", mount.LeaseId);
        json.WriteStartArray("holders");
        foreach (var holder in mount.Holders)
            json.WriteStringValue(holder);
        json.WriteEndArray();
        if (mount.SinceUnixMs != 0)
            json.WriteString("since", DateTimeOffset.FromUnixTimeMilliseconds(mount.SinceUnixMs));
        json.WriteString("loopDevice", mount.LoopDevice);
        json.WriteString("image", mount.Image);
        json.WriteString("imageDigest", mount.ImageDigest);
    }
}
