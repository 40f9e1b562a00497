using Crashcart.Chaos.Fleet;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.State;

/// <summary>Everything that a round could leave behind, one line a thing, with nothing in it that a restart may change.</summary>
internal static class HostPicture
{
    /// <summary>Docker's own, which are not looked at.</summary>
    private static readonly string[] DockersNames = ["dockerd", "docker", "containerd", "containerd-shim", "runc", "docker-init", "unshare"];

    public static HashSet<string> Read(ChaosFleet fleet) =>
    [
        .. LoopDevices(), .. Mounts("host", 1), .. Cgroups(), .. Processes(fleet), .. Files("/run"), .. Files(Path.GetTempPath()),
        .. fleet.Boxes.SelectMany(OfBox),
    ];

    private static IEnumerable<string> OfBox(Box box) => Directory.Exists($"/proc/{box.Pid}/root/dev")
        ?
        [
            .. Mounts(box.NodeAndName, box.Pid),
            .. Entries($"/proc/{box.Pid}/root/dev").Select(entry => $"entry of /dev in {box.NodeAndName}: {Path.GetFileName(entry)}"),
            .. Entries(box.Written, SearchOption.AllDirectories).Select(entry => $"file in {box.NodeAndName}: {entry[box.Written.Length..]}"),
        ]
        : [$"container {box.NodeAndName} does not run"];

    private static IEnumerable<string> LoopDevices() =>
        from device in Leftovers.LoopDevices(Path.GetTempPath())
        where !device.EndsWith(".disk", StringComparison.Ordinal)
        select $"loop device {device}";

    private static IEnumerable<string> Mounts(string where, int pid) =>
        from line in Lines($"/proc/{pid}/mountinfo")
        let fields = line.Split(' ')
        let point = fields[4]
        let source = Array.IndexOf(fields, "-") + 1
        where !IsDockers(point)
        select $"mount in {where}: {fields[source]} at {point}";

    private static IEnumerable<string> Cgroups() =>
        from hierarchy in HostState.CgroupHierarchies()
        from top in Entries(hierarchy)
        where Directory.Exists(top) && !Path.GetFileName(top).StartsWith("cc-", StringComparison.Ordinal)
        from cgroup in (string[])[top, .. Entries(top, SearchOption.AllDirectories).Where(Directory.Exists)]
        select $"cgroup {cgroup}";

    private static IEnumerable<string> Processes(ChaosFleet fleet)
    {
        HashSet<int> known = [1, Environment.ProcessId, .. fleet.Daemons.Select(daemon => daemon.Pid), .. fleet.Boxes.Select(box => box.Pid)];
        var processes = HostProcesses.Read();
        return from process in processes.All
               where !known.Contains(process.Pid) && !HostProcesses.IsOrphanOf(process, fleet.Boxes)
               where !fleet.Boxes.Any(box => box.IsOwn(process))
               where !DockersNames.Contains(process.Name)
               select $"process {HostProcesses.Describe(process)}";
    }

    /// <summary>Docker's directories and what names the sockets of killed daemons apart.</summary>
    private static IEnumerable<string> Files(string directory)
    {
        foreach (var entry in Entries(directory))
        {
            // The node writes down there what people hold, and keeps the file.
            if (IsDockers(entry) || Path.GetFileName(entry) == "leases.json")
                continue;
            yield return $"file {entry}";
            if (Directory.Exists(entry) && new FileInfo(entry).LinkTarget == null && Path.GetFileName(entry) != "faults")
            {
                foreach (var inside in Files(entry))
                    yield return inside;
            }
        }
    }

    private static bool IsDockers(string path) =>
        path.StartsWith("/run/docker", StringComparison.Ordinal)
        || path.StartsWith("/run/containerd", StringComparison.Ordinal)
        || path.Contains("/data/", StringComparison.Ordinal)
        || path.Contains("/exec/", StringComparison.Ordinal)
        || path.EndsWith("/data", StringComparison.Ordinal)
        // What containerd did when dockerd found it slow: it writes that itself.
        || path.EndsWith(".stacks.log", StringComparison.Ordinal)
        || path.EndsWith("/exec", StringComparison.Ordinal);

    private static string[] Entries(string directory, SearchOption depth = SearchOption.TopDirectoryOnly)
    {
        try
        {
            return directory.Length == 0 ? [] : Directory.GetFileSystemEntries(directory, "*", depth);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
