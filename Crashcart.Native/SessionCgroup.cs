using System.Diagnostics;
using System.Globalization;
using Crashcart.Native.Syscalls;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// The cgroups of one session, outside those of its container: one in the v2 hierarchy, which the tool is born in, and
/// one in each v1 hierarchy that a limit needs. A process has to be moved into a v1 cgroup, so there are none without need.
/// </summary>
internal sealed class SessionCgroup
{
    private const int Attempts = 200;
    private const int AttemptsWithReaper = 40;

    /// <summary>A fork bomb can make few attempts take minutes.</summary>
    private static readonly TimeSpan PatienceWithReaper = TimeSpan.FromSeconds(1);

    /// <summary>What crashcart-enter's reaper calls itself.</summary>
    private const string HelperReaper = "crashcart-reap";

    /// <summary>Of a quota, whose period is 100 ms unless somebody sets another.</summary>
    private const long NanoCpusPerMicrosecond = 1_000_000_000 / 100_000;

    private readonly List<string> _directories = [];
    private readonly List<string> _parents = [];
    private readonly List<string> _legacy = [];
    private readonly List<(CgroupHierarchy Hierarchy, IReadOnlyList<(string Controller, string File, string Value)> Settings)> _plan = [];
    private string[] _parts = [];

    private SessionCgroup()
    {
    }

    /// <summary>The v2 directory, or null on a host that has none.</summary>
    public string? Unified { get; private set; }

    /// <summary>The v1 directories.</summary>
    public IReadOnlyList<string> Legacy => _legacy;

    /// <summary>The session's own directories, in every hierarchy.</summary>
    public IReadOnlyList<string> Directories => _directories;

    /// <summary>What is written where: FILE=VALUE, below the directories of the same hierarchies.</summary>
    internal IReadOnlyList<string> Settings =>
        [.. _plan.SelectMany((plan, i) => plan.Settings.Select(setting => $"{_directories[i]}/{setting.File}={setting.Value}"))];

    /// <summary>The directories between a session's and the hierarchy's root, innermost first; others may be in them.</summary>
    public IReadOnlyList<string> Parents => _parents;

    /// <summary>Says where the session's cgroups will be; nothing is made yet.</summary>
    /// <param name="name">Path below <c>crashcart/</c>.</param>
    /// <param name="devices">What may be opened, for a host of v1 alone, where files of the cgroup say it; empty is everything.</param>
    /// <exception cref="CrashcartException">The host has no cgroups, or not the controller for a limit.</exception>
    internal static SessionCgroup Plan(
        IReadOnlyList<CgroupHierarchy> hierarchies, string name, SessionLimits limits, IReadOnlyList<DeviceRule>? devices = null)
    {
        var session = new SessionCgroup { _parts = [CgroupHierarchy.Parent, .. name.Split('/')] };
        session._plan.AddRange(Choose(hierarchies, limits, devices ?? []));
        foreach ((CgroupHierarchy hierarchy, _) in session._plan)
        {
            session.AddDirectories(hierarchy, session._parts);
            if (hierarchy.IsUnified)
                session.Unified = session._directories[^1];
            else
                session._legacy.Add(session._directories[^1]);
        }
        return session;
    }

    /// <summary>Makes the session's cgroups with its limits and devices; when this throws they are gone again.</summary>
    /// <exception cref="CrashcartException">The name is taken.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public void Make(DevicePolicy devices)
    {
        int made = 0;
        try
        {
            for (; made < _plan.Count; made++)
                Make(_plan[made].Hierarchy, _directories[made], _plan[made].Settings);
            if (Unified is not null)
                devices.ApplyTo(Unified);
        }
        catch
        {
            // The one that failed may be another session's.
            _directories.RemoveRange(made, _directories.Count - made);
            Remove();
            throw;
        }
    }

    /// <summary>A session's cgroups as they are, whoever made them.</summary>
    internal static SessionCgroup Find(IReadOnlyList<CgroupHierarchy> hierarchies, string name)
    {
        var session = new SessionCgroup();
        string[] parts = [CgroupHierarchy.Parent, .. name.Split('/')];
        foreach (CgroupHierarchy hierarchy in hierarchies)
        {
            if (Directory.Exists(hierarchy.MountPoint + "/" + string.Join('/', parts)))
                session.AddDirectories(hierarchy, parts);
        }
        return session;
    }

    /// <summary>Whether a process is in a session of ours, in any hierarchy.</summary>
    internal static bool Holds(int pid) => (ProcFile.TryRead($"/proc/{pid}/cgroup") ?? "").Split('\n').Any(line =>
        line.Split(':', 3) is [_, _, var path] && path.StartsWith($"/{CgroupHierarchy.Parent}/", StringComparison.Ordinal));

    /// <summary>
    /// Kills whatever is still in the session and removes its cgroups, and then every parent that nobody else is in.
    /// What the helper program has already removed is no error.
    /// </summary>
    public async Task EmptyAndRemoveAsync()
    {
        long start = Stopwatch.GetTimestamp();
        for (int attempt = 0; !Remove() && attempt < Attempts; attempt++)
        {
            foreach (string directory in _directories)
            {
                // The helper's reaper goes last, or what it would have reaped stays a zombie where PID 1 reaps nothing.
                if (attempt < AttemptsWithReaper && Stopwatch.GetElapsedTime(start) < PatienceWithReaper)
                    KillMembers(directory, HelperReaper);
                else
                    KillAll(directory);
            }
            await Task.Delay(Math.Min(1 + attempt, 20)).ConfigureAwait(false);
        }
        RemoveAbandoned();
    }

    // A process that was killed together with its guardian has left the cgroup that is named after it, and nothing in it.
    private void RemoveAbandoned()
    {
        foreach (string parent in _parents.Where(parent => Path.GetFileName(parent) == CgroupHierarchy.Parent && Directory.Exists(parent)))
        {
            foreach (string name in EndedProcesses(parent))
                TryRemove($"{parent}/{name}");
            TryRemove(parent);
        }
    }

    private static string[] EndedProcesses(string parent)
    {
        try
        {
            return [.. ProcessName.Ended(Directory.GetDirectories(parent, ProcessName.Prefix + "*").Select(path => Path.GetFileName(path)))];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    // Which hierarchies are needed, and what is to be written in each.
    private static IEnumerable<(CgroupHierarchy, IReadOnlyList<(string, string, string)>)> Choose(
        IReadOnlyList<CgroupHierarchy> hierarchies, SessionLimits limits, IReadOnlyList<DeviceRule> devices)
    {
        var wanted = new List<(string Controller, string UnifiedFile, string LegacyFile, string Value)>();
        if (limits.MemoryBytes is { } memory)
            wanted.Add(("memory", "memory.max", "memory.limit_in_bytes", memory.ToString(CultureInfo.InvariantCulture)));
        if (limits.NanoCpus is { } nanoCpus)
        {
            string quota = (nanoCpus / NanoCpusPerMicrosecond).ToString(CultureInfo.InvariantCulture);
            wanted.Add(("cpu", "cpu.max", "cpu.cfs_quota_us", quota));
        }
        bool moves = wanted.Count > 0;
        bool isCheap = hierarchies.Any(hierarchy => hierarchy.Controllers.Contains("pids") && (hierarchy.IsUnified || moves));
        if ((limits.Processes ?? (isCheap ? limits.CheapProcesses : null)) is { } processes)
            wanted.Add(("pids", "pids.max", "pids.max", processes.ToString(CultureInfo.InvariantCulture)));

        if (devices.Count > 0 && !hierarchies.Any(hierarchy => hierarchy.IsUnified))
        {
            wanted.Add(("devices", "", "devices.deny", "a"));
            wanted.AddRange(devices.Select(rule => ("devices", "", "devices.allow", rule.ToString())));
        }

        foreach (var limit in wanted)
        {
            if (!hierarchies.Any(hierarchy => hierarchy.Controllers.Contains(limit.Controller)))
            {
                throw new CrashcartException(
                    FailureReason.System,
                    $"The session cannot be limited, for this host has no {limit.Controller} cgroup controller: "
                    + "enable it in the kernel, or ask for no limit.");
            }
        }
        bool any = false;
        foreach (CgroupHierarchy hierarchy in hierarchies)
        {
            var settings = wanted.Where(limit => hierarchy.Controllers.Contains(limit.Controller))
                .Select(limit => (limit.Controller, hierarchy.IsUnified ? limit.UnifiedFile : limit.LegacyFile, limit.Value))
                .ToList();
            wanted.RemoveAll(limit => hierarchy.Controllers.Contains(limit.Controller));
            // On a host of v1 alone one of its hierarchies has to hold the session together.
            bool holdsSession = hierarchy.IsUnified || (!hierarchies[0].IsUnified && hierarchy.Controllers.Contains("pids"));
            if (settings.Count == 0 && !holdsSession)
                continue;
            any = true;
            yield return (hierarchy, settings);
        }
        if (!any)
        {
            throw new CrashcartException(
                FailureReason.System,
                "No session can be kept together, for this host has no cgroup file system mounted: mount cgroup2 at /sys/fs/cgroup.");
        }
    }

    private void Make(
        CgroupHierarchy hierarchy, string directory, IReadOnlyList<(string Controller, string File, string Value)> settings)
    {
        string[] controllers = hierarchy.IsUnified ? [.. settings.Select(setting => setting.Controller)] : [];
        MakeDirectories(hierarchy.MountPoint, _parts, controllers);
        try
        {
            foreach ((_, string file, string value) in settings)
                Limit(directory, file, value);
        }
        catch
        {
            TryRemove(directory);
            throw;
        }
    }

    private static void Limit(string directory, string file, string value)
    {
        try
        {
            Write(directory + "/" + file, value);
        }
        catch (SyscallException e)
        {
            // A kernel may have a controller without all of its files, and a parent may allow less.
            throw new CrashcartException(
                FailureReason.System,
                $"The session cannot be limited, for {file} of the cgroup '{directory}' does not take '{value}' ({SyscallException.Describe(e.Errno)}): "
                + "enable it in the kernel, or ask for another limit or none.",
                e);
        }
    }

    private void AddDirectories(CgroupHierarchy hierarchy, string[] parts)
    {
        _directories.Add(hierarchy.MountPoint + "/" + string.Join('/', parts));
        for (int length = parts.Length - 1; length > 0; length--)
            _parents.Add(hierarchy.MountPoint + "/" + string.Join('/', parts[..length]));
    }

    private static void MakeDirectories(string mountPoint, string[] parts, string[] controllers)
    {
        // Another session that ends may remove a parent as soon as it is made: then from the start.
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                string directory = mountPoint;
                for (int i = 0; i < parts.Length; i++)
                {
                    Enable(directory, controllers);
                    directory += "/" + parts[i];
                    MakeDirectory(directory, mustBeNew: i == parts.Length - 1);
                }
                return;
            }
            catch (SyscallException e) when ((e.Errno == ENOENT || e.Errno == ENODEV) && attempt < Attempts)
            {
                Thread.Yield();
            }
        }
    }

    private static unsafe void MakeDirectory(string directory, bool mustBeNew)
    {
        fixed (byte* path = Descriptor.CString(directory))
        {
            if (mkdir(path, 0x1ED /* 0755 */) == 0)
                return;
            int error = errno;
            if (error != EEXIST)
                throw new SyscallException("mkdir", error, directory);
            // What a session that was killed together with its guardian left is empty, and makes room.
            if (mustBeNew && (!TryRemove(directory) || mkdir(path, 0x1ED) != 0))
            {
                throw new CrashcartException(
                    FailureReason.Busy, $"There is a session in the cgroup '{directory}' already: give this one another name.");
            }
        }
    }

    // A v2 controller works in a directory only when all its parents pass it on.
    private static void Enable(string directory, string[] controllers)
    {
        string file = directory + "/cgroup.subtree_control";
        string[] enabled = controllers.Length == 0 ? [] : (ProcFile.TryRead(file) ?? "").Split([' ', '\n']);
        foreach (string controller in controllers.Except(enabled))
            Write(file, "+" + controller);
    }

    private static void Write(string path, string value)
    {
        using Descriptor file = Descriptor.Open(path, O_WRONLY);
        try
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(value));
        }
        catch (SyscallException e)
        {
            throw new SyscallException("write", e.Errno, $"{path}, {value}");
        }
    }

    private static void KillAll(string directory)
    {
        // cgroup.kill is of Linux 5.14, and never in v1.
        using Descriptor? kill = Descriptor.TryOpen(directory + "/cgroup.kill", O_WRONLY);
        if (kill is null)
            KillMembers(directory, spared: null);
        else
            kill.Write("1"u8);
    }

    private static void KillMembers(string directory, string? spared)
    {
        // Held first, and then looked for once more: the PID may be somebody else's by now.
        List<(int Pid, Descriptor Process)> held = [.. Members(directory).Select(pid => (pid, new Descriptor(Calls.pidfd_open(pid, 0))))];
        HashSet<int> members = [.. Members(directory)];
        foreach ((int pid, Descriptor process) in held)
        {
            if (!process.IsInvalid
                && members.Contains(pid)
                && (spared is null || ProcFile.TryRead($"/proc/{pid}/comm")?.TrimEnd() != spared))
                _ = Calls.pidfd_send_signal(process.Number, SIGKILL);
            process.Dispose();
        }
    }

    private static List<int> Members(string directory) =>
        [.. (ProcFile.TryRead(directory + "/cgroup.procs") ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => int.Parse(line, CultureInfo.InvariantCulture))
            .Where(pid => pid > 0)]; // one that our PID namespace does not show reads as 0

    private bool Remove()
    {
        bool gone = true;
        foreach (string directory in _directories)
            gone &= TryRemove(directory);
        // A parent that others are in stays, and is theirs to remove.
        foreach (string directory in _parents)
            TryRemove(directory);
        return gone;
    }

    private static unsafe bool TryRemove(string directory)
    {
        fixed (byte* path = Descriptor.CString(directory))
            return rmdir(path) == 0 || errno == ENOENT;
    }
}
