namespace Crashcart.Native;

/// <summary>
/// Container ids in the paths of /proc/PID/cgroup. Docker, containerd, CRI-O and podman write them differently
/// (<c>/docker/ID</c>, <c>docker-ID.scope</c>, <c>cri-containerd-ID.scope</c>, <c>…slice:cri-containerd:ID</c>, <c>crio-ID</c>,
/// <c>libpod-ID.scope</c>), and all as 64 hex digits that stand alone.
/// </summary>
internal static class ContainerPath
{
    /// <summary>Every id in the file, outermost container first. A session of ours is in no container.</summary>
    public static IReadOnlyList<string> Ids(string cgroupFile)
    {
        var ids = new List<string>();
        foreach (string line in cgroupFile.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // HIERARCHY:CONTROLLERS:PATH, and the path may hold colons.
            string[] fields = line.Split(':', 3);
            if (fields.Length < 3 || fields[2].Contains($"/{CgroupHierarchy.Parent}/", StringComparison.Ordinal))
                continue;
            AddIds(fields[2], ids);
        }
        return ids;
    }

    /// <summary>The id of the container that the process is in directly, or null.</summary>
    public static string? Innermost(string cgroupFile) => Ids(cgroupFile) is [.., string last] ? last : null;

    /// <summary>
    /// The id by the files that Docker and podman mount into every container; for a process whose cgroup tells nothing.
    /// </summary>
    public static string? IdByMounts(IEnumerable<MountInfo> mounts)
    {
        foreach (MountInfo mount in mounts)
        {
            if (mount.MountPoint is not ("/etc/hostname" or "/etc/hosts" or "/etc/resolv.conf" or "/run/.containerenv"))
                continue;
            // …/containers/ID/hostname, and podman's …/overlay-containers/ID/userdata/hostname.
            string[] parts = mount.Root.Split('/');
            for (int i = 1; i < parts.Length; i++)
            {
                if (parts[i - 1].EndsWith("containers", StringComparison.Ordinal) && IsId(parts[i]))
                    return parts[i];
            }
        }
        return null;
    }

    private static void AddIds(string path, List<string> ids)
    {
        int start = 0;
        for (int end = 0; end <= path.Length; end++)
        {
            if (end < path.Length && char.IsAsciiLetterOrDigit(path[end]))
                continue;
            string word = path[start..end];
            if (IsId(word) && !ids.Contains(word))
                ids.Add(word);
            start = end + 1;
        }
    }

    private static bool IsId(string word) => word.Length == 64 && word.All(char.IsAsciiHexDigitLower);
}
