using System.Globalization;

namespace Crashcart.Native;

/// <summary>
/// The name of the session of a process that has only one: its cgroup tells by it whether the process is alive. Processes of
/// different PID namespaces have the same PIDs, and may share one cgroup file system.
/// </summary>
/// <param name="PidNamespace">The namespace's inode.</param>
internal readonly record struct ProcessName(ulong PidNamespace, int Pid)
{
    public const string Prefix = "cli-";

    /// <summary>PROC_PID_INIT_INO of the kernel: who is in that one sees every process of the host.</summary>
    private const ulong HostsPidNamespace = 0xEFFFFFFC;

    public static ProcessName OfThisProcess => new(OwnPidNamespace, Environment.ProcessId);

    private static ulong OwnPidNamespace =>
        FileIdentity.Of("/proc/self/ns/pid")?.Inode ?? throw new SyscallException("stat", Tmds.Linux.LibC.errno, "/proc/self/ns/pid");

    /// <summary>Those of the names whose processes have certainly ended; of another PID namespace only its end is seen, and only from the host's.</summary>
    public static IEnumerable<string> Ended(IEnumerable<string> names)
    {
        ulong own = OwnPidNamespace;
        HashSet<ulong>? alive = null;
        foreach (string name in names)
        {
            if (TryParse(name) is not { } process)
                continue;
            bool hasEnded = process.PidNamespace == own
                ? !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Pid}"))
                : own == HostsPidNamespace && !(alive ??= PidNamespaces()).Contains(process.PidNamespace);
            if (hasEnded)
                yield return name;
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{PidNamespace}-{Pid}");

    private static ProcessName? TryParse(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal)
        && name[Prefix.Length..].Split('-') is [var space, var pid]
        && ulong.TryParse(space, NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode)
        && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? new ProcessName(inode, number)
            : null;

    private static HashSet<ulong> PidNamespaces() =>
        [.. TargetProcess.ProcessIds().Select(pid => FileIdentity.Of(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/pid"))?.Inode ?? 0)];
}
