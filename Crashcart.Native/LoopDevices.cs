using System.Globalization;
using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>The loop devices of this host.</summary>
internal static class LoopDevices
{
    private const int LoopMajor = 7;

    /// <summary>
    /// Paths of the configured autoclear devices, from sysfs. Others are not even opened: a device that its owner has
    /// asked to be cleared stays busy for as long as anybody has it open.
    /// </summary>
    public static IEnumerable<string> AutoclearDevices()
    {
        // Of /sys/block, which holds links, the runtime would look at the target of each.
        const string Virtual = "/sys/devices/virtual/block";
        if (!Directory.Exists(Virtual))
            yield break;
        foreach (string directory in Directory.EnumerateFileSystemEntries(Virtual, "loop*"))
        {
            if (ProcFile.TryRead(directory + "/loop/autoclear") is ['1', ..])
                yield return "/dev/" + System.IO.Path.GetFileName(directory);
        }
    }

    public static unsafe bool TryGetStatus(Descriptor device, out loop_info64 info)
    {
        loop_info64 status;
        bool configured = ioctl(device.Number, LOOP_GET_STATUS64, &status) == 0;
        info = configured ? status : default;
        return configured;
    }

    public static IReadOnlyList<LoopDeviceInfo> ListOwn() =>
        [.. AutoclearDevices().Select(Describe).OfType<LoopDeviceInfo>().OrderBy(device => device.DeviceMinor)];

    /// <summary>The device with this number when it is a loop device of ours, otherwise null.</summary>
    public static LoopDeviceInfo? Find(int major, int minor) =>
        major != LoopMajor ? null : ListOwn().FirstOrDefault(device => device.DeviceMinor == minor);

    private static LoopDeviceInfo? Describe(string path)
    {
        using Descriptor? device = Descriptor.TryOpen(path, O_RDONLY);
        if (device is null || !TryGetStatus(device, out loop_info64 info))
            return null;
        string name = System.IO.Path.GetFileName(path);
        string? number = ProcFile.TryRead($"/sys/block/{name}/dev");
        string? backing = ProcFile.TryRead($"/sys/block/{name}/loop/backing_file");
        string tag = LoopTag.Read(info).Value;
        if (tag.Length == 0 || number is null || backing is null)
            return null;
        string[] parts = number.TrimEnd().Split(':');
        return new LoopDeviceInfo(
            path,
            tag,
            backing.TrimEnd('\n'),
            int.Parse(parts[0], CultureInfo.InvariantCulture),
            int.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
