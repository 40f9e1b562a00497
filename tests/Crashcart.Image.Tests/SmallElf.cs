using System.Buffers.Binary;
using System.Text;

namespace Crashcart.Image.Tests;

/// <summary>Makes ELF files that hold a header, an interpreter and a dynamic section, and nothing to run.</summary>
internal static class SmallElf
{
    private const int InterpreterAt = 0x200;
    private const int StringsAt = 0x400;
    private const int DynamicAt = 0x800;
    private const int Size = 0xa00;

    public static byte[] Make(string? interpreter = null, string[]? needed = null, string? runpath = null, string text = "")
    {
        var elf = new byte[Size];
        "\x7f"u8.CopyTo(elf);
        "ELF\x02\x01\x01"u8.CopyTo(elf.AsSpan(1));
        BinaryPrimitives.WriteUInt16LittleEndian(elf.AsSpan(18), Architecture.Amd64.ElfMachine);
        BinaryPrimitives.WriteUInt64LittleEndian(elf.AsSpan(32), 64);

        var segments = 0;
        AddSegment(elf, ref segments, type: 1, offset: 0, size: Size);
        if (interpreter is not null)
        {
            var length = Encoding.UTF8.GetBytes(interpreter + "\0", elf.AsSpan(InterpreterAt));
            AddSegment(elf, ref segments, type: 3, InterpreterAt, length);
        }

        AddSegment(elf, ref segments, type: 2, DynamicAt, Size - DynamicAt);
        WriteDynamic(elf, needed ?? [], runpath);
        Encoding.UTF8.GetBytes($"\0{text}\0", elf.AsSpan(0x300));
        return elf;
    }

    private static void AddSegment(byte[] elf, ref int count, uint type, int offset, int size)
    {
        var header = elf.AsSpan(64 + (56 * count++));
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], (ulong)offset);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], (ulong)offset);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], (ulong)size);
        BinaryPrimitives.WriteUInt16LittleEndian(elf.AsSpan(56), (ushort)count);
    }

    private static void WriteDynamic(byte[] elf, string[] needed, string? runpath)
    {
        var (entry, text) = (DynamicAt, StringsAt + 1);
        Add(5, StringsAt);
        foreach (var library in needed)
            Add(1, Text(library));
        if (runpath is not null)
            Add(29, Text(runpath));

        void Add(long tag, int value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(elf.AsSpan(entry), tag);
            BinaryPrimitives.WriteInt64LittleEndian(elf.AsSpan(entry + 8), value);
            entry += 16;
        }

        int Text(string value)
        {
            var offset = text - StringsAt;
            text += Encoding.UTF8.GetBytes(value + "\0", elf.AsSpan(text));
            return offset;
        }
    }
}
