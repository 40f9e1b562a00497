using System.Globalization;

namespace Crashcart.Native;

/// <summary>A shared mount of ours in the mount namespace of a container, whoever made it.</summary>
/// <param name="Pid">The oldest process that sees it and that no session started.</param>
/// <param name="StartTime">When that process started, in clock ticks since boot: with the PID it names one process.</param>
/// <param name="ContainerId">64 hex digits; empty when the process is in no container that can be recognised.</param>
/// <param name="At">Where it is in the container.</param>
/// <param name="MountId">As in /proc/PID/mountinfo; no two mounts of a host have the same at one time.</param>
/// <param name="LoopDevice">/dev/loopN</param>
/// <param name="ImageKey">As <see cref="ImageIdentity.Key"/>: which image file it is, and in what state.</param>
/// <param name="BackingFile">As <see cref="LoopDeviceInfo"/> has it.</param>
/// <param name="MadeBySessions">When sessions made it, if the last of them takes it away; null: somebody asked for it.</param>
public sealed record FoundMount(
    int Pid,
    ulong StartTime,
    string ContainerId,
    MountPath At,
    int MountId,
    string LoopDevice,
    string ImageKey,
    string BackingFile,
    DateTimeOffset? MadeBySessions);

/// <summary>
/// What the kernel has of ours in the mount namespaces of this host. Each namespace is read once, however many processes
/// are in it, and only when it has a mount of ours are its lines looked at.
/// </summary>
/// <param name="Namespaces">How many mount namespaces were read.</param>
public sealed record MountSurvey(IReadOnlyList<FoundMount> Mounts, int Namespaces)
{
    private const string Needle = $" {SharedMount.Path}";

    /// <summary>Takes milliseconds for hundreds of containers.</summary>
    public static MountSurvey Read()
    {
        IReadOnlyList<LoopDeviceInfo> devices = LoopDevices.ListOwn();
        var seen = new HashSet<FileIdentity>();
        if (FileIdentity.Of("/proc/self/ns/mnt") is { } own)
            seen.Add(own);
        var found = new List<FoundMount>();
        foreach (int pid in TargetProcess.ProcessIds().Order())
        {
            string process = "/proc/" + pid.ToString(CultureInfo.InvariantCulture);
            if (FileIdentity.Of(process + "/ns/mnt") is not { } space || seen.Contains(space))
                continue;
            string? text = ProcFile.TryRead(process + "/mountinfo");
            // One that has just ended says nothing of its namespace; another process may.
            if (text is not { Length: > 0 })
                continue;
            List<FoundMount> mounts = text.Contains(Needle, StringComparison.Ordinal) ? Find(pid, process, space, text, devices) : [];
            // A private mount is in a namespace that only its session is in, and goes with it; of a container's namespace its own
            // processes will be met as well.
            if (mounts.Count > 0 && SessionCgroup.Holds(pid))
                continue;
            seen.Add(space);
            found.AddRange(mounts);
        }
        return new MountSurvey(found, seen.Count);
    }

    private static List<FoundMount> Find(
        int pid, string process, FileIdentity space, string text, IReadOnlyList<LoopDeviceInfo> devices)
    {
        if (ProcFile.TryRead(process + "/stat") is not { } stat)
            return [];
        string container = ContainerPath.Innermost(ProcFile.TryRead(process + "/cgroup") ?? "") ?? "";
        var found = new List<FoundMount>();
        foreach (IGrouping<string, MountInfo> stack in MountInfo.ParseAll(text).GroupBy(mount => mount.MountPoint))
        {
            MountInfo mount = stack.Last();
            if (MountPath.TryParse(mount.MountPoint) is not { } at
                || devices.FirstOrDefault(device => (device.DeviceMajor, device.DeviceMinor) == (mount.DeviceMajor, mount.DeviceMinor)) is not { } device)
            {
                continue;
            }
            bool bySessions = at.IsDefault && SharedMountLock.ReadSessionMountId(space) == mount.Id;
            found.Add(new FoundMount(
                pid,
                ProcessStat.Parse(stat).StartTime,
                container,
                at,
                mount.Id,
                device.Device,
                device.Tag,
                device.BackingFile,
                bySessions ? SharedMountLock.WrittenAt(space) : null));
        }
        return found;
    }
}
