using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos;

/// <summary>What of a campaign is not the kernel's to remove: its cgroups and its directory. Its processes and mounts are gone.</summary>
internal static class Leftovers
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task Remove(string directory)
    {
        foreach (var hierarchy in HostState.CgroupHierarchies().ToArray())
        {
            var cgroup = Path.Combine(hierarchy, Path.GetFileName(directory));
            // A process that was killed is counted until the kernel has let go of it.
            await Eventually.Holds(() => !Directory.Exists(cgroup) || RemoveTree(cgroup), $"{cgroup} can be removed", Patience);
        }
        await Eventually.Holds(
            () => !LoopDevices(directory).Any(),
            () => $"no loop device has a file of the campaign: {string.Join(", ", LoopDevices(directory))}",
            Patience);
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another campaign that begins just now removes it as well.
        }
    }

    /// <summary>Loop devices that carry a file of that directory, with the file.</summary>
    public static IEnumerable<string> LoopDevices(string directory)
    {
        foreach (var device in Directory.GetDirectories("/sys/block", "loop*"))
        {
            string file;
            try
            {
                file = File.ReadAllText($"{device}/loop/backing_file").TrimEnd();
            }
            catch (IOException)
            {
                continue;
            }
            if (file.StartsWith(directory, StringComparison.Ordinal))
                yield return $"/dev/{Path.GetFileName(device)} {file}";
        }
    }

    private static bool RemoveTree(string cgroup)
    {
        try
        {
            foreach (var child in Directory.GetDirectories(cgroup))
                RemoveTree(child);
            Directory.Delete(cgroup);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
