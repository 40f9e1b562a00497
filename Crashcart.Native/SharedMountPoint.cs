using System.Globalization;

namespace Crashcart.Native;

/// <summary>
/// The directory under a shared mount: where it is, whatever the container calls it. Containers with one /dev (a volume, the
/// host's) have one such directory, and rmdir(2) of a directory takes away what other mount namespaces have mounted on it.
/// </summary>
/// <param name="Directory">Its path in the file system of that device.</param>
internal readonly record struct SharedMountPoint(int DeviceMajor, int DeviceMinor, string Directory)
{
    /// <summary>The target's own.</summary>
    /// <exception cref="CrashcartException">The target is gone.</exception>
    public static SharedMountPoint Of(TargetProcess target, MountPath at = default) =>
        On(MountInfo.Containing(target.ReadMounts(), "/dev")!, at.ToString());

    /// <summary>
    /// Whether something is mounted on it in another mount namespace than the target's. A session's own namespace does not
    /// count: it was copied with the mount in it, and sees its own /dev over that.
    /// </summary>
    public bool IsUsedElsewhere(TargetProcess target)
    {
        var seen = new HashSet<FileIdentity> { target.MountNamespace };
        foreach (int pid in TargetProcess.ProcessIds())
        {
            if (FileIdentity.Of($"/proc/{pid}/ns/mnt") is not { } space || seen.Contains(space))
                continue;
            bool isUsed = IsUsedBy(pid, space);
            // In the namespace of a container, that one's own processes will be met as well.
            if (isUsed && SessionCgroup.Holds(pid))
                continue;
            if (isUsed)
                return true;
            seen.Add(space);
        }
        return false;
    }

    /// <summary>The mounts on a directory of this name, and those that they are mounted on: a host may have thousands of others.</summary>
    private List<MountInfo> Candidates(string text)
    {
        string name = $"/{Path.GetFileName(Directory)} ";
        var found = new List<MountInfo>();
        for (int at = text.IndexOf(name, StringComparison.Ordinal); at >= 0; at = text.IndexOf(name, at + 1, StringComparison.Ordinal))
        {
            MountInfo mount = MountInfo.Parse(LineAt(text, at));
            found.Add(mount);
            int parent = ("\n" + text).IndexOf(string.Create(CultureInfo.InvariantCulture, $"\n{mount.ParentId} "), StringComparison.Ordinal);
            if (parent >= 0)
                found.Add(MountInfo.Parse(LineAt(text, parent)));
        }
        return found;
    }

    private static string LineAt(string text, int position)
    {
        int start = position == 0 ? 0 : text.LastIndexOf('\n', position - 1) + 1;
        int end = text.IndexOf('\n', position);
        return text[start..(end < 0 ? text.Length : end)];
    }

    // A process whose mounts cannot be read, and that lives on, may use it.
    private bool IsUsedBy(int pid, FileIdentity space) => ProcFile.TryRead($"/proc/{pid}/mountinfo") is { } mounts
        ? IsUsedBy(Candidates(mounts))
        : FileIdentity.Of($"/proc/{pid}/ns/mnt") == space;

    internal bool IsUsedBy(IReadOnlyList<MountInfo> mounts)
    {
        foreach (MountInfo mount in mounts)
        {
            if (mounts.FirstOrDefault(parent => parent.Id == mount.ParentId) is { } parent
                && mount.MountPoint.StartsWith(parent.MountPoint, StringComparison.Ordinal)
                && On(parent, mount.MountPoint) == this)
            {
                return true;
            }
        }
        return false;
    }

    private static SharedMountPoint On(MountInfo parent, string path) =>
        new(parent.DeviceMajor, parent.DeviceMinor, parent.Root.TrimEnd('/') + path[parent.MountPoint.TrimEnd('/').Length..]);
}
