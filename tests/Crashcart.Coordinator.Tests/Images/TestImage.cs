using System.Security.Cryptography;

namespace Crashcart.Coordinator.Tests.Images;

/// <summary>A file to push, and what the fleet knows it by.</summary>
internal sealed class TestImage(byte[] bytes)
{
    private const int Superblock = 1024;
    private const int BlockBits = 12;

    public byte[] Bytes => bytes;

    public string Digest { get; } = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>An image that says of itself that it is an erofs file system, and random bytes after that.</summary>
    /// <param name="length">Bytes, in blocks of 4096.</param>
    /// <param name="claimed">Bytes that the superblock says there are; null: so many as there are.</param>
    public static TestImage Make(int length = 256 << 10, int? claimed = null)
    {
        var image = RandomNumberGenerator.GetBytes(length);
        image.AsSpan(Superblock, 128).Clear();
        BitConverter.TryWriteBytes(image.AsSpan(Superblock), 0xE0F5E1E2);
        image[Superblock + 12] = BlockBits;
        BitConverter.TryWriteBytes(image.AsSpan(Superblock + 36), (uint)((claimed ?? length) >> BlockBits));
        return new TestImage(image);
    }
}
