using System.Globalization;

namespace Crashcart.Native;

/// <summary>The processes that keep a mount busy.</summary>
internal static class MountUsers
{
    /// <summary>"PID (name)" of every process in the target's mount namespace that runs or has open something on the mount.</summary>
    public static IReadOnlyList<string> Find(TargetProcess target, SharedMount mount)
    {
        FileIdentity space = target.MountNamespace;
        var users = new List<string>();
        foreach (int pid in TargetProcess.ProcessIds())
        {
            string directory = "/proc/" + pid.ToString(CultureInfo.InvariantCulture);
            if (FileIdentity.Of(directory + "/ns/mnt") == space && Uses(directory, mount))
                users.Add($"{pid} ({ProcFile.TryRead(directory + "/comm")?.Trim() ?? "?"})");
        }
        return users;
    }

    private static bool Uses(string process, SharedMount mount)
    {
        string[] links = [process + "/exe", process + "/cwd", process + "/root", .. Descriptors(process)];
        if (links.Any(link => FileIdentity.Of(link) is { } file && IsOn(file, mount)))
            return true;
        string device = $" {mount.DeviceMajor:x2}:{mount.DeviceMinor:x2} ";
        return ProcFile.TryRead(process + "/maps")?.Contains(device, StringComparison.Ordinal) == true;
    }

    private static bool IsOn(FileIdentity file, SharedMount mount) =>
        file.DeviceMajor == mount.DeviceMajor && file.DeviceMinor == mount.DeviceMinor;

    private static string[] Descriptors(string process)
    {
        try
        {
            return Directory.GetFileSystemEntries(process + "/fd");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has just ended.
            return [];
        }
    }
}
