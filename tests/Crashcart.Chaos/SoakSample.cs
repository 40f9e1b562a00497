using System.Globalization;
using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.State;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos;

/// <summary>The figures of one moment between two cycles.</summary>
/// <param name="Details">What some of the figures are made of.</param>
internal sealed record SoakSample(IReadOnlyDictionary<string, long> Values, IReadOnlyDictionary<string, string> Details)
{
    public const string Descriptors = "descriptors";
    public const string Memory = "MiB";
    public const string Threads = "threads";

    /// <summary>The number that the kernel gives to a new mount is the lowest that is free.</summary>
    public const string MountId = "new mount's id";

    public static async Task<SoakSample> Take(ChaosFleet fleet)
    {
        var values = new Dictionary<string, long>
        {
            ["loop devices"] = Leftovers.LoopDevices(Path.GetTempPath()).Count(device => !device.EndsWith(".disk", StringComparison.Ordinal)),
            [MountId] = await NewMountId(fleet),
            ["mounts"] = fleet.Boxes.Sum(box => (long)File.ReadAllLines($"/proc/{box.Pid}/mountinfo").Length) + File.ReadAllLines("/proc/1/mountinfo").Length,
            ["cgroups"] = HostState.CgroupHierarchies()
                .Select(hierarchy => Path.Combine(hierarchy, "crashcart"))
                .Where(Directory.Exists)
                .Sum(cgroup => (long)Directory.GetDirectories(cgroup, "*", SearchOption.AllDirectories).Length + 1),
            ["processes"] = Directory.GetDirectories("/proc").Count(directory => char.IsAsciiDigit(directory["/proc/".Length])),
        };
        var details = new Dictionary<string, string>();
        foreach (var (name, daemon) in (IEnumerable<(string, Daemon)>)
            [.. fleet.Nodes.Select(node => (node.Name, node.Daemon)), .. fleet.Coordinators.Select((daemon, index) => ($"coordinator {index + 1}", daemon))])
        {
            var kinds = DescriptorCount.Read(daemon.Pid);
            values[$"{name}: {Descriptors}"] = kinds.Values.Sum();
            details[$"{name}: {Descriptors}"] = string.Join(", ", kinds.OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => $"{kind.Value} of {kind.Key}"));
            values[$"{name}: {Memory}"] = Status(daemon.Pid, "VmRSS") / 1024;
            values[$"{name}: {Threads}"] = Status(daemon.Pid, "Threads");
        }
        return new SoakSample(values, details);
    }

    private static async Task<long> NewMountId(ChaosFleet fleet)
    {
        var box = fleet.Boxes[0];
        (await fleet.Undisturbed("mount", box.PidText).Run()).Succeeded();
        var mount = File.ReadLines($"/proc/{box.Pid}/mountinfo").First(line => line.Split(' ')[4] == "/dev/crashcart");
        (await fleet.Undisturbed("unmount", box.PidText).Run()).Succeeded();
        return long.Parse(mount.Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private static long Status(int pid, string name)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split((char[])['\t', ' '], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
