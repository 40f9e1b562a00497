using System.Globalization;
using System.Text;

namespace Crashcart.Native;

/// <summary>One line of /proc/PID/mountinfo, proc_pid_mountinfo(5), with its octal escapes undone.</summary>
/// <param name="Root">The path in the file system that is mounted.</param>
/// <param name="MountPoint">Relative to the process's root directory.</param>
/// <param name="PeerGroup">N of <c>shared:N</c>: mounts propagate to and from the group. Null when private or slave.</param>
/// <param name="MasterGroup">N of <c>master:N</c>, or null.</param>
public sealed record MountInfo(
    int Id,
    int ParentId,
    int DeviceMajor,
    int DeviceMinor,
    string Root,
    string MountPoint,
    IReadOnlyList<string> Options,
    int? PeerGroup,
    int? MasterGroup,
    bool Unbindable,
    string FileSystem,
    string Source,
    IReadOnlyList<string> SuperOptions)
{
    /// <summary>The mounts that a process sees, in the order in which they cover each other; null when the process is gone.</summary>
    public static IReadOnlyList<MountInfo>? TryRead(int pid) =>
        ProcFile.TryRead($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/mountinfo") is { } text ? ParseAll(text) : null;

    /// <summary>The mounts that this process sees.</summary>
    /// <exception cref="SyscallException">/proc is not there.</exception>
    public static IReadOnlyList<MountInfo> ReadOwn() =>
        ProcFile.TryRead("/proc/self/mountinfo") is { } text
            ? ParseAll(text)
            : throw new SyscallException("open", Tmds.Linux.LibC.errno, "/proc/self/mountinfo");

    /// <summary>Of the mount that the descriptor is on, proc_pid_fdinfo(5); one that is detached keeps it when it is moved to its place.</summary>
    /// <exception cref="SyscallException">/proc is not there.</exception>
    internal static int IdOf(Descriptor descriptor)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{descriptor.Number}");
        return ProcFile.TryRead(path) is { } text && ProcFile.Field(text, "mnt_id") is { } id
            ? Number(id)
            : throw new SyscallException("open", Tmds.Linux.LibC.errno, path);
    }

    /// <exception cref="FormatException">Not a line of mountinfo.</exception>
    public static MountInfo Parse(string line)
    {
        string[] fields = line.Split(' ');
        int separator = Array.IndexOf(fields, "-", Math.Min(6, fields.Length));
        if (separator < 0 || fields.Length < separator + 4)
            throw new FormatException($"Not a line of mountinfo: '{line}'");
        string[] device = fields[2].Split(':');
        if (device.Length != 2)
            throw new FormatException($"No MAJOR:MINOR in the mountinfo line '{line}'");
        ReadOnlySpan<string> optional = fields.AsSpan(6, separator - 6);
        return new MountInfo(
            Number(fields[0]),
            Number(fields[1]),
            Number(device[0]),
            Number(device[1]),
            Unescape(fields[3]),
            Unescape(fields[4]),
            fields[5].Split(','),
            Group(optional, "shared:"),
            Group(optional, "master:"),
            optional.Contains("unbindable"),
            Unescape(fields[separator + 1]),
            Unescape(fields[separator + 2]),
            fields[separator + 3].Split(','));
    }

    internal static IReadOnlyList<MountInfo> ParseAll(string text)
    {
        var mounts = new List<MountInfo>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            mounts.Add(Parse(line));
        return mounts;
    }

    /// <summary>The mount that a path lies on, for a path without links: of the longest mount points the last.</summary>
    internal static MountInfo? Containing(IReadOnlyList<MountInfo> mounts, string path)
    {
        MountInfo? best = null;
        foreach (MountInfo mount in mounts)
        {
            string point = mount.MountPoint.TrimEnd('/');
            bool contains = path.StartsWith(point, StringComparison.Ordinal)
                && (path.Length == point.Length || path[point.Length] == '/');
            if (contains && (best is null || point.Length >= best.MountPoint.TrimEnd('/').Length))
                best = mount;
        }
        return best;
    }

    private static int? Group(ReadOnlySpan<string> fields, string prefix)
    {
        foreach (string field in fields)
        {
            if (field.StartsWith(prefix, StringComparison.Ordinal))
                return Number(field[prefix.Length..]);
        }
        return null;
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>Space, tab, newline and backslash are written as \NNN in octal.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\'))
            return text;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\' && i + 3 < bytes.Length && IsOctal(bytes[i + 1]) && IsOctal(bytes[i + 2]) && IsOctal(bytes[i + 3]))
            {
                bytes[length++] = (byte)(((bytes[i + 1] - '0') << 6) | ((bytes[i + 2] - '0') << 3) | (bytes[i + 3] - '0'));
                i += 3;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static bool IsOctal(byte b) => b is >= (byte)'0' and <= (byte)'7';
}
