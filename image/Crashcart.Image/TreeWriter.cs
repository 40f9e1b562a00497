namespace Crashcart.Image;

/// <summary>Writes a tree to a directory, with modes that do not depend on the user's umask.</summary>
internal static class TreeWriter
{
    private const UnixFileMode ProgramMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
        | UnixFileMode.OtherRead;

    public static void Write(Tree tree, string directory)
    {
        MakeDirectory(directory);
        foreach (var (path, entry) in tree.Entries)
        {
            var full = Path.Combine(directory, path);
            MakeDirectory(Path.GetDirectoryName(full)!);
            if (entry is TreeLink link)
            {
                File.CreateSymbolicLink(full, Path.GetRelativePath("/" + Path.GetDirectoryName(path), "/" + link.Target));
            }
            else if (entry is TreeFile file)
            {
                File.WriteAllBytes(full, file.Content);
                File.SetUnixFileMode(full, file.Executable ? ProgramMode : FileMode);
            }
        }
    }

    private static void MakeDirectory(string path)
    {
        if (Directory.Exists(path))
            return;
        MakeDirectory(Path.GetDirectoryName(path)!);
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, ProgramMode);
    }
}
