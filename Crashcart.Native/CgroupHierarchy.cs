namespace Crashcart.Native;

/// <summary>A mounted cgroup hierarchy, cgroups(7). A host has one v2 hierarchy, or some of v1, or both (hybrid).</summary>
/// <param name="Controllers">Those that this hierarchy can limit by: memory, pids and so on.</param>
internal sealed record CgroupHierarchy(string MountPoint, bool IsUnified, IReadOnlySet<string> Controllers)
{
    /// <summary>The directory at the top of every hierarchy that holds all our sessions.</summary>
    public const string Parent = "crashcart";

    /// <summary>The hierarchies that this process can see, v2 first.</summary>
    public static IReadOnlyList<CgroupHierarchy> ReadOwn() =>
        Find(MountInfo.ReadOwn(), mountPoint => ProcFile.TryRead(mountPoint + "/cgroup.controllers") ?? "");

    /// <summary>The directory of a process's cgroup in this hierarchy, or null when it is in none.</summary>
    /// <param name="memberships">The text of its /proc/PID/cgroup: HIERARCHY:CONTROLLERS:PATH, and the path may hold colons.</param>
    public string? DirectoryOf(string memberships)
    {
        foreach (string line in memberships.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split(':', 3);
            if (fields.Length == 3 && (IsUnified ? fields[1].Length == 0 : fields[1].Length > 0 && fields[1].Split(',').All(Controllers.Contains)))
                return MountPoint + fields[2];
        }
        return null;
    }

    /// <param name="unifiedControllers">The text of cgroup.controllers at a v2 mount point.</param>
    internal static IReadOnlyList<CgroupHierarchy> Find(IEnumerable<MountInfo> mounts, Func<string, string> unifiedControllers)
    {
        var found = new List<CgroupHierarchy>();
        foreach (MountInfo mount in mounts)
        {
            bool unified = mount.FileSystem == "cgroup2";
            if ((!unified && mount.FileSystem != "cgroup") || found.Exists(h => unified && h.IsUnified))
                continue;
            IEnumerable<string> controllers = unified
                ? unifiedControllers(mount.MountPoint).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
                : mount.SuperOptions;
            found.Add(new CgroupHierarchy(mount.MountPoint, unified, controllers.ToHashSet(StringComparer.Ordinal)));
        }
        return [.. found.OrderBy(hierarchy => !hierarchy.IsUnified)];
    }
}
