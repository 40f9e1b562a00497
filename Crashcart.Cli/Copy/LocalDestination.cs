using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>
/// Where a copy goes here, as docker(1) has it: into a directory that is there, else under the name that is given. It is made beside that under
/// another name, and gets its own when it is whole.
/// </summary>
internal sealed class LocalDestination : IDisposable
{
    private readonly string _path;
    private readonly bool _isThere;
    private readonly byte[] _name;

    private LocalDestination(string path, FileTree home, byte[] name, bool isThere)
    {
        _path = path;
        _isThere = isThere;
        _name = name;
        Home = home;
    }

    /// <summary>The directory that it goes to.</summary>
    public FileTree Home { get; }

    /// <summary>What it is called until it is whole.</summary>
    public byte[] Temporary { get; } = BytePath.Of(ContainerTools.TemporaryName());

    /// <param name="path">As the person names it.</param>
    /// <param name="nameInside">What it is called in a directory that is there; empty to put a directory's contents there.</param>
    /// <exception cref="CrashcartException">There is no directory for it.</exception>
    public static LocalDestination Open(string path, string nameInside)
    {
        var isDirectory = Directory.Exists(path);
        var (home, name) = isDirectory ? (path, nameInside) : (Path.GetDirectoryName(Path.GetFullPath(path.TrimEnd('/')))!, Path.GetFileName(path.TrimEnd('/')));
        try
        {
            return new LocalDestination(path, FileTree.Open(home), BytePath.Of(name), isDirectory);
        }
        catch (SyscallException e)
        {
            throw new CrashcartException(
                FailureReason.BadRequest, $"Cannot copy to '{SafeText.Of(path)}': '{SafeText.Of(home)}': {SyscallException.Describe(e.Errno)}.", e);
        }
    }

    /// <exception cref="CrashcartException">Such a thing cannot go there.</exception>
    public void Accept(ArchiveEntryKind kind)
    {
        if (!_isThere && kind != ArchiveEntryKind.Directory && _path.EndsWith('/'))
            throw Refused("there is no such directory, and what is copied is none");
        if (_name.Length > 0)
            RequireRoom(kind == ArchiveEntryKind.Directory, _name);
    }

    /// <summary>Gives the copy its name. Into a directory that is there its files go one by one, in place of those with their names.</summary>
    /// <exception cref="CrashcartException">A directory is in the way of a file, or the other way round.</exception>
    public void Place(TreeExtraction copy)
    {
        try
        {
            Move(Temporary, _name);
            copy.Finish(_name, withRoot: _name.Length > 0);
        }
        catch (SyscallException e)
        {
            throw Refused($"{e.Call}: {SyscallException.Describe(e.Errno)}");
        }
    }

    /// <summary>Removes what has not got its name.</summary>
    public void Dispose()
    {
        try
        {
            if (Home.Find(Temporary) is not null)
                Home.Remove(Temporary);
        }
        catch (SyscallException e)
        {
            StandardText.Complain(SafeText.Of($"Cannot remove '{BytePath.Text(Temporary)}' beside '{_path}': {e.Message}"));
        }

        Home.Dispose();
    }

    private void Move(byte[] from, byte[] to)
    {
        var isDirectory = Home.Find(from) is { Kind: TreeEntryKind.Directory };
        if (!RequireRoom(isDirectory, to) || !isDirectory)
        {
            Home.Rename(from, Home, to);
            return;
        }

        foreach (var name in Home.List(from))
            Move(BytePath.Join(from, name), BytePath.Join(to, name));
    }

    /// <returns>Whether something of the same kind is there.</returns>
    private bool RequireRoom(bool forDirectory, byte[] path)
    {
        if (path.Length == 0)
            return true;
        var there = Home.Find(path)?.Kind;
        if (there is not null && (there == TreeEntryKind.Directory) != forDirectory)
            throw Refused($"'{SafeText.Of(BytePath.Text(path))}' is there, and is {(forDirectory ? "no" : "a")} directory");
        return there is not null;
    }

    private CrashcartException Refused(string why) => new(FailureReason.BadRequest, $"Cannot copy to '{SafeText.Of(_path)}': {why}.");
}
