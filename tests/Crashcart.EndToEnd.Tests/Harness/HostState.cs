namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>Everything on the host that Crashcart could leave behind, one line a thing.</summary>
internal sealed class HostState
{
    /// <summary>A session's end is told before the kernel has let go of its last piece.</summary>
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(5);

    private readonly HashSet<string> _things;

    private HostState(IEnumerable<string> things) => _things = [.. things];

    public static HostState Read() => new([.. LoopDevices(), .. Mounts(), .. Cgroups(), .. Processes(), .. Files()]);

    /// <summary>Mount points of every cgroup hierarchy, version 1 and 2.</summary>
    public static IEnumerable<string> CgroupHierarchies() =>
        from line in File.ReadLines("/proc/self/mountinfo")
        let fields = line.Split(' ')
        where fields[Array.IndexOf(fields, "-") + 1] is "cgroup" or "cgroup2"
        select fields[4];

    /// <summary>Loop devices that carry the image file, as <c>/dev/loopN</c>.</summary>
    public static IEnumerable<string> LoopDevicesOf(string image) =>
        from device in LoopDevices()
        let parts = device.Split(' ', 3)
        where parts[2] == image || parts[2] == $"{image} (deleted)"
        select parts[1];

    /// <summary>Waits until nothing is there that was not there before.</summary>
    public async Task Returns()
    {
        string[] left = [];
        await Eventually.Holds(
            () => (left = [.. Read()._things.Except(_things)]).Length == 0,
            () => $"nothing is left behind, but there is\n{string.Join('\n', left)}",
            ReleasePatience);
    }

    private static IEnumerable<string> LoopDevices()
    {
        foreach (var device in Directory.GetDirectories("/sys/block", "loop*"))
        {
            if (Read($"{device}/loop/backing_file") is [var file, ..]
                && (file.Contains("crashcart", StringComparison.Ordinal) || file.Contains("/images/sha256-", StringComparison.Ordinal)))
                yield return $"loop /dev/{Path.GetFileName(device)} {file}";
        }
    }

    /// <summary>In every mount namespace of the host; each is read once.</summary>
    private static IEnumerable<string> Mounts() =>
        from process in ProcessDirectories().DistinctBy(process => new FileInfo($"{process}/ns/mnt").LinkTarget)
        from line in Read($"{process}/mountinfo")
        where line.Split(' ')[4] == "/dev/crashcart"
        select $"mount {new FileInfo($"{process}/ns/mnt").LinkTarget} {line}";

    private static IEnumerable<string> Cgroups() =>
        from hierarchy in CgroupHierarchies()
        from cgroup in Directory.GetDirectories(hierarchy, "crashcart*")
        from directory in (string[])[cgroup, .. Directory.GetDirectories(cgroup, "*", SearchOption.AllDirectories)]
        select $"cgroup {directory}";

    /// <summary>Without its PID: a daemon that was killed and has been started again is the same one.</summary>
    private static IEnumerable<string> Processes() =>
        from process in ProcessDirectories()
        from line in Read($"{process}/cmdline")
        where Path.GetFileName(line.Split('\0')[0]).StartsWith("crashcart-", StringComparison.Ordinal)
        select $"process {line.Replace('\0', ' ')}";

    private static IEnumerable<string> Files() =>
        from folder in (string[])["/dev", "/run"]
        from entry in Directory.GetFileSystemEntries(folder, "crashcart*")
        select $"file {entry}";

    private static IEnumerable<string> ProcessDirectories() =>
        Directory.GetDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0]));

    /// <summary>The lines of a file that may be gone at any moment.</summary>
    private static string[] Read(string path)
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
