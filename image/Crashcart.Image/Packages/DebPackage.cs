using System.Formats.Tar;
using System.IO.Compression;

namespace Crashcart.Image;

/// <summary>One downloaded Debian package.</summary>
/// <param name="Name">The package's name.</param>
/// <param name="Version">Debian's version, with epoch and revision.</param>
/// <param name="Sha256">Lower-case hexadecimal; checked when it was downloaded.</param>
/// <param name="Path">The package file.</param>
internal sealed record DebPackage(string Name, string Version, string Sha256, string Path)
{
    /// <summary>What the package says of itself, and its files, packed lightly: xz(1) takes most of a build's time otherwise.</summary>
    private string QuickPath => QuickPathOf(Path);

    public static string QuickPathOf(string path) => System.IO.Path.ChangeExtension(path, ".quick");

    /// <summary>Reads the fields and every regular file and link; directories and device nodes are passed over.</summary>
    public (IReadOnlyDictionary<string, string> Fields, IReadOnlyList<DebEntry> Entries) Read(HostProgram dpkgDeb, CancellationToken cancel)
    {
        try
        {
            try
            {
                return ReadQuick();
            }
            catch (Exception e) when (e is FileNotFoundException or EndOfStreamException or InvalidDataException)
            {
                Unpack(dpkgDeb, cancel);
                return ReadQuick();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw BuildCache.NotWritable(System.IO.Path.GetDirectoryName(Path)!, e);
        }
    }

    private (IReadOnlyDictionary<string, string> Fields, IReadOnlyList<DebEntry> Entries) ReadQuick()
    {
        using var content = new GZipStream(File.OpenRead(QuickPath), CompressionMode.Decompress);
        using var reader = new BinaryReader(content);
        var fields = DebControl.Parse(reader.ReadString());
        var entries = ReadTar(content);
        // The checksum is at the end.
        content.CopyTo(Stream.Null);
        return (fields, entries);
    }

    private void Unpack(HostProgram dpkgDeb, CancellationToken cancel)
    {
        using var partial = PartialFile.Create(QuickPath);
        using (var content = new GZipStream(partial.Content, CompressionLevel.Fastest, leaveOpen: true))
        using (var writer = new BinaryWriter(content))
        {
            writer.Write(dpkgDeb.Run(["--field", Path, "Package", "Version", "Architecture", "Source"], cancel: cancel));
            dpkgDeb.Run(["--fsys-tarfile", Path], tar => Copy(tar, content), cancel: cancel);
        }

        // A machine that loses its power must not leave a package without files.
        partial.Content.Flush(flushToDisk: true);
        partial.Complete();
    }

    private static bool Copy(Stream from, Stream to)
    {
        from.CopyTo(to);
        return true;
    }

    private static List<DebEntry> ReadTar(Stream stream)
    {
        const UnixFileMode anyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        var entries = new List<DebEntry>();
        using var tar = new TarReader(stream, leaveOpen: true);
        while (tar.GetNextEntry() is { } entry)
        {
            var path = Clean(entry.Name);
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                entries.Add(new DebFile(path, Content(entry), (entry.Mode & anyExecute) != 0));
            else if (entry.EntryType is TarEntryType.SymbolicLink)
                entries.Add(new DebLink(path, Layout.Normalize(path, entry.LinkName)));
            else if (entry.EntryType is TarEntryType.HardLink)
                entries.Add(new DebLink(path, Clean(entry.LinkName)));
        }

        return entries;
    }

    private static byte[] Content(TarEntry entry)
    {
        var content = new byte[entry.Length];
        entry.DataStream?.ReadExactly(content);
        return content;
    }

    private static string Clean(string name)
        => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name.TrimStart('/');
}

/// <param name="Path">In the package, without a leading slash.</param>
internal abstract record DebEntry(string Path);

internal sealed record DebFile(string Path, byte[] Content, bool Executable) : DebEntry(Path);

/// <param name="Path">As for every entry.</param>
/// <param name="Target">Path in the package that a symbolic or hard link leads to, without a leading slash.</param>
internal sealed record DebLink(string Path, string Target) : DebEntry(Path);
