using System.Buffers.Binary;
using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>What the first bytes of an image say of the file system in it.</summary>
/// <param name="FileSystem">The kernel's name for it.</param>
/// <param name="SectorSize">In bytes: the largest sector of a loop device, up to 4096, that the file system can live with.</param>
/// <param name="Size">Of the file system, in bytes: a file that is shorter was cut off.</param>
internal readonly record struct Superblock(string FileSystem, uint SectorSize, ulong Size)
{
    private const int Start = 1024;
    private const int Needed = 2048;
    private const uint Ext4With64Bits = 0x80;

    /// <summary>Null when the bytes are no file system that a toolbox image can be.</summary>
    /// <param name="head">The first bytes of the file, 2048 or as many as there are.</param>
    public static Superblock? Identify(ReadOnlySpan<byte> head)
    {
        if (head.Length >= 48 && BinaryPrimitives.ReadUInt32LittleEndian(head) == Constants.SQUASHFS_MAGIC)
            return new Superblock("squashfs", 4096, BinaryPrimitives.ReadUInt64LittleEndian(head[40..]));
        if (head.Length < Needed)
            return null;
        ReadOnlySpan<byte> block = head[Start..];
        if (BinaryPrimitives.ReadUInt32LittleEndian(block) == Constants.EROFS_SUPER_MAGIC_V1)
            return new Superblock("erofs", SectorFor(block[12]), Bytes(BinaryPrimitives.ReadUInt32LittleEndian(block[36..]), block[12]));
        if (BinaryPrimitives.ReadUInt16LittleEndian(block[56..]) == Constants.EXT4_SUPER_MAGIC)
        {
            uint bits = 10 + BinaryPrimitives.ReadUInt32LittleEndian(block[24..]);
            bool has64Bits = (BinaryPrimitives.ReadUInt32LittleEndian(block[96..]) & Ext4With64Bits) != 0;
            ulong blocks = BinaryPrimitives.ReadUInt32LittleEndian(block[4..])
                | (has64Bits ? (ulong)BinaryPrimitives.ReadUInt32LittleEndian(block[336..]) << 32 : 0);
            return new Superblock("ext4", SectorFor((int)bits), Bytes(blocks, bits));
        }

        return null;
    }

    /// <summary>Reads the head of an image file.</summary>
    public static unsafe Superblock? Identify(Descriptor image)
    {
        byte* head = stackalloc byte[Needed];
        int n = (int)pread(image.Number, head, Needed, 0);
        return n < 0 ? throw new SyscallException("pread", errno) : Identify(new ReadOnlySpan<byte>(head, n));
    }

    // What no file can be as large as is as good as any other damage.
    private static ulong Bytes(ulong blocks, uint bits) => bits < 20 && blocks < 1UL << 40 ? blocks << (int)bits : ulong.MaxValue;

    // A device's sectors may not be larger than the file system's blocks: EINVAL at mounting.
    private static uint SectorFor(int blockBits) => blockBits is >= 9 and < 12 ? 1u << blockBits : 4096;
}
