using System.Security.Cryptography;
using Crashcart.Actors.Images;
using Crashcart.Node.Images;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Node.Tests.Images;

/// <summary>A store in a temporary directory, and the bytes of a small image for it.</summary>
internal sealed class StoreDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-store-");

    public StoreDirectory() => Store = Open();

    /// <summary>An image that says of itself that it is an erofs of one block, and random bytes after that.</summary>
    public static byte[] Image(int length = 100_000)
    {
        var image = RandomNumberGenerator.GetBytes(length);
        image.AsSpan(1024, 128).Clear();
        BitConverter.TryWriteBytes(image.AsSpan(1024), 0xE0F5E1E2);
        image[1024 + 12] = 12;
        BitConverter.TryWriteBytes(image.AsSpan(1024 + 36), (uint)length / 4096);
        return image;
    }

    public ImageStore Store { get; }

    public string Root => _directory.FullName;

    public static ImageDigest DigestOf(byte[] image) => ImageDigest.Of(SHA256.HashData(image));

    /// <summary>The same directory as another process has it.</summary>
    public ImageStore Open() => new(_directory.FullName, NullLogger.Instance);

    public async Task<ImageDigest> PutAsync(byte[] image)
    {
        var digest = DigestOf(image);
        using var writer = await OpenAsync(digest, image.Length);
        await writer!.AppendAsync(image, CancellationToken.None);
        writer.Commit();
        return digest;
    }

    public Task<ImageWriter?> OpenAsync(ImageDigest digest, long size, Func<ValueTask>? waiting = null) =>
        ImageWriter.OpenAsync(Store, digest, size, waiting ?? (() => ValueTask.CompletedTask), CancellationToken.None);

    public IEnumerable<string> Files() => Directory.EnumerateFiles(Store.Directory).Select(Path.GetFileName).Order(StringComparer.Ordinal)!;

    public void Dispose() => _directory.Delete(recursive: true);
}
