namespace Crashcart.Image;

/// <summary>EROFS by mkfs.erofs(1): small, and quick to start from.</summary>
internal sealed class Erofs : FileSystem
{
    public const string Name = "erofs";

    private readonly HostProgram _make = HostProgram.Find("mkfs.erofs", "erofs-utils");

    private protected override void Make(string directory, Guid uuid, string image, string? compression, CancellationToken cancel)
        => _make.Run(
            ["--quiet", $"-z{compression ?? "lz4hc,9"}", "-C65536", "-x-1", $"-T{Epoch}", $"-U{uuid}", "--all-root", image, directory],
            cancel: cancel);
}
