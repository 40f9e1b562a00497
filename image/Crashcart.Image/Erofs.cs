using System.Security.Cryptography;

namespace Crashcart.Image;

/// <summary>Packs a directory into an EROFS file system by mkfs.erofs(1): the same directory always gives the same bytes.</summary>
internal sealed class Erofs
{
    /// <summary>2025-01-01, the time of every file unless SOURCE_DATE_EPOCH says another; seconds.</summary>
    private const string Epoch = "1735689600";

    private readonly HostProgram _make = HostProgram.Find("mkfs.erofs", "erofs-utils");

    /// <param name="directory">The tree.</param>
    /// <param name="identity">The file system's UUID is made of it.</param>
    /// <param name="output">The image; replaced at once, when it is complete.</param>
    public void Pack(string directory, byte[] identity, string output)
    {
        var uuid = new Guid(SHA256.HashData(identity).AsSpan(0, 16));
        var time = Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") is { Length: > 0 } given ? given : Epoch;
        var partial = $"{output}.{Environment.ProcessId}.partial";
        try
        {
            _make.Run(["--quiet", "-zlz4hc,9", "-C65536", "-x-1", $"-T{time}", $"-U{uuid}", "--all-root", partial, directory]);
            File.Move(partial, output, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
