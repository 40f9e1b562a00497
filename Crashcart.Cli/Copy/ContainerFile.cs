using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>A path in a container, taken from its root.</summary>
/// <param name="Directory">Absolute: where the last name is, or with <paramref name="IsContents"/> the directory itself.</param>
/// <param name="Name">The last name; empty with <paramref name="IsContents"/>.</param>
/// <param name="IsContents">What is in the directory is meant, and not the directory: the path ends with <c>/.</c>, or is the root.</param>
/// <param name="IsDirectory">It must be a directory: the path ends with <c>/</c>.</param>
internal sealed record ContainerFile(string Directory, string Name, bool IsContents, bool IsDirectory)
{
    // These have no size in their file systems, and tar would copy them as empty.
    private static readonly string[] Unsized = ["proc", "sys"];

    public string Path => IsContents ? Directory : Directory == "/" ? $"/{Name}" : $"{Directory}/{Name}";

    /// <summary><c>.</c> and <c>..</c> are taken out by the words alone, as docker(1) does.</summary>
    public static ContainerFile Parse(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/'))
        {
            if (part is "..")
                parts.RemoveRange(Math.Max(0, parts.Count - 1), Math.Min(1, parts.Count));
            else if (part is not ("" or "."))
                parts.Add(part);
        }

        var isContents = parts.Count == 0 || path.EndsWith("/.", StringComparison.Ordinal);
        return isContents
            ? new ContainerFile($"/{string.Join('/', parts)}", "", IsContents: true, IsDirectory: true)
            : new ContainerFile($"/{string.Join('/', parts[..^1])}", parts[^1], IsContents: false, path.EndsWith('/'));
    }

    /// <exception cref="CrashcartException">It is in a file system whose files cannot be copied.</exception>
    public ContainerFile RequireCopyable() => Array.Exists(Unsized, root => Path == $"/{root}" || Path.StartsWith($"/{root}/", StringComparison.Ordinal))
        ? throw new CrashcartException(
            FailureReason.BadRequest, $"'{Path}' is no file of the container's but made by the kernel when it is read; try 'crashcart exec TARGET cat {Path}'.")
        : this;
}
