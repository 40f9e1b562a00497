using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>What is copied from here.</summary>
internal sealed class LocalSource : IDisposable
{
    private LocalSource(FileTree home, string path, string name, string kind)
    {
        Home = home;
        Path = BytePath.Of(path);
        Name = name;
        Kind = kind;
    }

    public FileTree Home { get; }

    /// <summary>In <see cref="Home"/>; empty for the directory itself.</summary>
    public byte[] Path { get; }

    /// <summary>What it is called in a directory that it goes to; empty for a directory whose contents are meant.</summary>
    public string Name { get; }

    /// <summary>As <see cref="ContainerTools.Write"/> has it.</summary>
    public string Kind { get; }

    /// <param name="follow">When it is a link, what it leads to is meant.</param>
    /// <exception cref="CrashcartException">There is no such file.</exception>
    public static LocalSource Open(string path, bool follow)
    {
        var isContents = path is "." or ".." || path.EndsWith("/.", StringComparison.Ordinal) || path.EndsWith("/..", StringComparison.Ordinal);
        var full = System.IO.Path.GetFullPath(path.TrimEnd('/') is { Length: > 0 } named ? named : "/");
        var name = isContents ? "" : System.IO.Path.GetFileName(full);
        try
        {
            if (follow && !isContents)
                full = File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
            if (name.Length == 0 || (Directory.Exists(full) && (path.EndsWith('/') || new DirectoryInfo(full).LinkTarget is null)))
                return new LocalSource(FileTree.Open(full), "", name, "directory");
            var home = FileTree.Open(System.IO.Path.GetDirectoryName(full)!);
            if (!path.EndsWith('/') && home.Find(BytePath.Of(System.IO.Path.GetFileName(full))) is { Kind: not TreeEntryKind.Special })
                return new LocalSource(home, System.IO.Path.GetFileName(full), name, "file");
            home.Dispose();
        }
        catch (IOException e)
        {
            throw Missing(path, e is SyscallException call ? SyscallException.Describe(call.Errno) : e.Message.TrimEnd('.'), e);
        }

        throw Missing(path, path.EndsWith('/') ? "there is no such directory" : "there is no such file, link or directory", null);
    }

    public void Dispose() => Home.Dispose();

    private static CrashcartException Missing(string path, string why, Exception? cause) =>
        new(FailureReason.BadRequest, $"Cannot copy '{SafeText.Of(path)}': {why}.", cause);
}
