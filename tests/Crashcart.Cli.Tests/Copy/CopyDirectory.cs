using Crashcart.Cli.Copy;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Copy;

/// <summary>A directory that copies go to, in another one, which they must leave as it is.</summary>
internal sealed class CopyDirectory : IDisposable
{
    private readonly DirectoryInfo _outside = Directory.CreateTempSubdirectory("crashcart-copy-");

    public CopyDirectory() => Directory.CreateDirectory(Home);

    public string Home => Path.Combine(_outside.FullName, "home");

    public string this[string name] => Path.Combine(Home, name);

    /// <summary>Every name below <see cref="Home"/>, and any other in the directory that it is in.</summary>
    public IEnumerable<string> Names => Directory.EnumerateFileSystemEntries(_outside.FullName, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(_outside.FullName, path)).Where(path => path != "home").Order(StringComparer.Ordinal);

    public static CopyProgress NoProgress => new("", new StatusLine(_ => { }, isTerminal: false));

    /// <summary>Takes what a container sent for <c>asked</c>, as <c>crashcart cp TARGET:/asked HOME</c> does.</summary>
    public async Task<TreeExtraction> TakeAsync(byte[] archive, bool keepOwners = false)
    {
        using var destination = LocalDestination.Open(Home, "asked");
        var extraction = new TreeExtraction(destination.Home, destination.Temporary, BytePath.Of("asked"), keepOwners, NoProgress) { Accept = destination.Accept };
        using var stream = new MemoryStream(archive);
        await extraction.ReadAsync(stream);
        destination.Place(extraction);
        return extraction;
    }

    /// <summary>The archive that goes to a container for a file or directory here.</summary>
    public async Task<byte[]> ArchiveAsync(string name, string called = "asked")
    {
        using var tree = FileTree.Open(Home);
        using var stream = new MemoryStream();
        var writer = new ArchiveWriter(stream);
        await new TreeArchive(tree, writer, keepSetIds: false, NoProgress).WriteAsync(BytePath.Of(name), BytePath.Of(called));
        await writer.FinishAsync();
        return stream.ToArray();
    }

    public void Dispose()
    {
        // There are names in it that .NET cannot say.
        using var tree = FileTree.Open(Path.GetDirectoryName(_outside.FullName)!);
        tree.Remove(BytePath.Of(_outside.Name));
    }
}
