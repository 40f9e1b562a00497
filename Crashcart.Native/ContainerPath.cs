using System.Text.RegularExpressions;

namespace Crashcart.Native;

/// <summary>
/// Container ids in the paths of /proc/PID/cgroup. Docker, containerd, CRI-O and podman write them differently
/// (<c>/docker/ID</c>, <c>docker-ID.scope</c>, <c>cri-containerd-ID.scope</c>, <c>…slice:cri-containerd:ID</c>, <c>crio-ID</c>,
/// <c>libpod-ID.scope</c>), and all as 64 hex digits that stand alone.
/// </summary>
internal static partial class ContainerPath
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
            foreach (Match match in Id().Matches(fields[2]))
            {
                if (!ids.Contains(match.Value))
                    ids.Add(match.Value);
            }
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
            if (mount.MountPoint is "/etc/hostname" or "/etc/hosts" or "/etc/resolv.conf" or "/run/.containerenv"
                && Directory().Match(mount.Root) is { Success: true } match)
                return match.Groups[1].Value;
        }
        return null;
    }

    [GeneratedRegex("(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])", RegexOptions.CultureInvariant)]
    private static partial Regex Id();

    [GeneratedRegex("containers/([0-9a-f]{64})/", RegexOptions.CultureInvariant)]
    private static partial Regex Directory();
}
