using System.Formats.Tar;

namespace Crashcart.Image;

/// <summary>One downloaded Debian package.</summary>
/// <param name="Name">The package's name.</param>
/// <param name="Version">Debian's version, with epoch and revision.</param>
/// <param name="Sha256">Lower-case hexadecimal; checked when it was downloaded.</param>
/// <param name="Path">The package file.</param>
internal sealed record DebPackage(string Name, string Version, string Sha256, string Path)
{
    /// <summary>Reads every regular file and link; directories and device nodes are passed over.</summary>
    public IReadOnlyList<DebEntry> Read(HostProgram dpkgDeb, CancellationToken cancel)
        => dpkgDeb.Run(["--fsys-tarfile", Path], ReadTar, cancel: cancel);

    private static IReadOnlyList<DebEntry> ReadTar(Stream stream)
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
