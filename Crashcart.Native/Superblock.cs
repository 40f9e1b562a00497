using System.Buffers.Binary;
using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>What the first bytes of an image say of the file system in it.</summary>
/// <param name="FileSystem">The kernel's name for it.</param>
/// <param name="SectorSize">In bytes: the largest sector of a loop device, up to 4096, that the file system can live with.</param>
internal readonly record struct Superblock(string FileSystem, uint SectorSize)
{
    private const int Start = 1024;
    private const int Needed = 2048;

    /// <summary>Null when the bytes are no file system that a toolbox image can be.</summary>
    /// <param name="head">The first bytes of the file, 2048 or as many as there are.</param>
    public static Superblock? Identify(ReadOnlySpan<byte> head)
    {
        if (head.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(head) == Constants.SQUASHFS_MAGIC)
            return new Superblock("squashfs", 4096);
        if (head.Length < Needed)
            return null;
        ReadOnlySpan<byte> block = head[Start..];
        if (BinaryPrimitives.ReadUInt32LittleEndian(block) == Constants.EROFS_SUPER_MAGIC_V1)
            return new Superblock("erofs", SectorFor(block[12]));
        if (BinaryPrimitives.ReadUInt16LittleEndian(block[56..]) == Constants.EXT4_SUPER_MAGIC)
            return new Superblock("ext4", SectorFor(10 + (int)BinaryPrimitives.ReadUInt32LittleEndian(block[24..])));
        return null;
    }

    /// <summary>Reads the head of an image file.</summary>
    public static unsafe Superblock? Identify(Descriptor image)
    {
        byte* head = stackalloc byte[Needed];
        int n = (int)pread(image.Number, head, Needed, 0);
        return n < 0 ? throw new SyscallException("pread", errno) : Identify(new ReadOnlySpan<byte>(head, n));
    }

    // A device's sectors may not be larger than the file system's blocks: EINVAL at mounting.
    private static uint SectorFor(int blockBits) => blockBits is >= 9 and < 12 ? 1u << blockBits : 4096;
}
