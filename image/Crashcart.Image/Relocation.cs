using System.Buffers.Binary;
using System.Text;

namespace Crashcart.Image;

/// <summary>
/// Makes programs find what is theirs in the image, by edits that keep every file's length: nothing in an ELF file moves.
/// Each edit knows how often its text must occur, and another count stops the build, so that a new version of a package
/// can never be half relocated.
/// </summary>
/// <param name="architecture">The programs'.</param>
/// <param name="directories">As <see cref="Recipe.Directories"/> has them.</param>
internal sealed class Relocation(Architecture architecture, IReadOnlyDictionary<string, string> directories)
{
    public const string Interpreter = Tree.MountPoint + "/lib/ld.so";

    /// <summary>Libraries that the loader puts before all others.</summary>
    public const string PreloadFile = "pre";

    /// <summary>Slashes fill the room that a directory leaves.</summary>
    private readonly (byte[] From, byte[] To)[] _everywhere =
    [
        Same($"/usr/lib/{architecture.Triplet}", Tree.MountPoint + "/lib"),
        .. directories.Select(directory => Same(directory.Key, $"{Tree.MountPoint}/{directory.Value}")),
    ];

    /// <summary>Gives a program the image's loader, and every ELF file the image's directories.</summary>
    /// <returns>A changed copy, or the same array when there was nothing to change.</returns>
    public byte[] Relocate(byte[] content, string name)
    {
        var edited = content;
        if (new ElfFile(content, name).InterpreterRange is { } range)
        {
            var (start, size) = range.GetOffsetAndLength(content.Length);
            if (size <= Interpreter.Length)
                throw new ImageBuildException($"{name} has room for {size - 1} characters of its interpreter's path, too few.");
            edited = [.. content];
            edited.AsSpan(start, size).Clear();
            Encoding.ASCII.GetBytes(Interpreter, edited.AsSpan(start));
        }

        foreach (var (from, to) in _everywhere)
        {
            var places = Bytes.Occurrences(edited, from);
            if (places.Count > 0)
                edited = Bytes.Overwrite(edited, places, to);
        }

        return edited;
    }

    /// <summary>Makes ld.so(8) deaf to the container: its directories, its cache, its preload file and its variables.</summary>
    public byte[] RelocateLoader(byte[] content)
    {
        content = ReplaceDirectories(content);
        content = new TextEdit("lib/ld.so", "/etc/ld.so.cache", Tree.MountPoint + "/c", 1).Apply(content);
        content = new TextEdit("lib/ld.so", "/etc/ld.so.preload", $"{Tree.MountPoint}/{PreloadFile}", 1).Apply(content);
        return LoaderVariables.Rename(content, architecture);
    }

    /// <summary>
    /// The four built-in directories are one block of text, walked by a table of their lengths; the first length is part of the
    /// code too, so it stays. The image has one directory of libraries: the other three are the image's root, which holds none.
    /// A container must not be able to make any of the four, so all lie in the image, over the padding that follows the block.
    /// </summary>
    private byte[] ReplaceDirectories(byte[] content)
    {
        string[] theirs = [$"/lib/{architecture.Triplet}/", $"/usr/lib/{architecture.Triplet}/", "/lib/", "/usr/lib/"];
        const string root = Tree.MountPoint + "/";
        string[] ours = [(root + "lib/").PadRight(theirs[0].Length, '/'), root, root, root];
        var to = Text(ours);
        var from = new byte[to.Length];
        Text(theirs).CopyTo(from, 0);
        content = Bytes.Replace(content, from, to, 2, "the built-in directories in lib/ld.so");
        return Bytes.Replace(content, Lengths(theirs), Lengths(ours), 1, "the lengths of the built-in directories in lib/ld.so");
    }

    private static (byte[] From, byte[] To) Same(string from, string to)
        => (Encoding.ASCII.GetBytes(from), Encoding.ASCII.GetBytes(to.PadRight(from.Length, '/')));

    private static byte[] Text(IEnumerable<string> directories)
        => Encoding.ASCII.GetBytes(string.Concat(directories.Select(d => d + "\0")));

    private static byte[] Lengths(string[] directories)
    {
        var table = new byte[directories.Length * sizeof(ulong)];
        for (var i = 0; i < directories.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(i * sizeof(ulong)), (ulong)directories[i].Length);
        return table;
    }
}
