using System.Globalization;

namespace Crashcart.Image;

/// <summary>squashfs by mksquashfs(1): the smallest to send, and slower to start from.</summary>
internal sealed class Squashfs : FileSystem
{
    public const string Name = "squashfs";

    private readonly HostProgram _make = HostProgram.Find("mksquashfs", "squashfs-tools");

    private protected override void Make(string directory, Guid uuid, string image, string? compression, CancellationToken cancel)
    {
        var time = Epoch.ToString(CultureInfo.InvariantCulture);
        // It has no UUID. SOURCE_DATE_EPOCH and the options for times exclude each other.
        _make.Without("SOURCE_DATE_EPOCH").Run(
            [
                directory, image, "-quiet", "-no-progress", "-noappend", "-reproducible", "-no-xattrs", "-all-root", "-mkfs-time", time,
                "-all-time", time, .. Compression(compression ?? "zstd,15"),
            ],
            cancel: cancel);
    }

    /// <summary><c>ALGORITHM[,LEVEL]</c>, as mkfs.erofs has it.</summary>
    private static IEnumerable<string> Compression(string compression)
    {
        var parts = compression.Split(',', 2);
        return parts.Length == 1 ? ["-comp", parts[0]] : ["-comp", parts[0], "-Xcompression-level", parts[1]];
    }
}
