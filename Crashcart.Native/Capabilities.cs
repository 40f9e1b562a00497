using System.Globalization;

namespace Crashcart.Native;

/// <summary>Sets of capabilities(7), as bit masks, and the names that people give them.</summary>
internal static class Capabilities
{
    private static readonly string[] Names =
    [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ];

    private static readonly ulong Debug = Mask(
        ["SYS_PTRACE", "NET_ADMIN", "NET_RAW", "DAC_READ_SEARCH", "PERFMON", "SYSLOG", "KILL", "SETUID", "SETGID"]);

    /// <summary>What a tool gets.</summary>
    /// <param name="containerBounding">The bounding set of the container's process.</param>
    /// <exception cref="CrashcartException">Unknown profile or capability.</exception>
    public static ToolCapabilities For(ToolSpec spec, ulong containerBounding)
    {
        ToolProfile? own = spec.Definition;
        ulong built = spec.BaseProfile switch
        {
            "restricted" => containerBounding,
            "debug" => containerBounding | Debug,
            "privileged" => ulong.MaxValue,
            _ => throw new CrashcartException(
                FailureReason.BadRequest, $"There is no profile '{spec.BaseProfile}': choose restricted, debug or privileged."),
        };
        ulong profile = own?.Capabilities ?? built;
        ulong added = Mask(spec.CapAdd) | (own?.Added ?? 0), dropped = Mask(spec.CapDrop) | (own?.Dropped ?? 0);
        // Naming one both ways takes it away: a refusal is the safer reading.
        ulong bounding = (profile | added) & ~dropped & OwnBoundingSet();
        // The profile gives it for reading; what else it can do, the container shall have only by its own right.
        bool deniesFileHandles = spec.BaseProfile == "debug" && own?.Capabilities is null && ((containerBounding | added) & Mask(["DAC_READ_SEARCH"])) == 0;
        SystemCalls calls = own?.FiltersCalls ?? spec.BaseProfile == "restricted" ? SystemCalls.OfContainers : deniesFileHandles ? SystemCalls.NoFileHandles : SystemCalls.All;
        return new ToolCapabilities(bounding, added & bounding, own?.NoNewPrivileges ?? spec.BaseProfile != "privileged", calls);
    }

    /// <summary>The set of the given names: with or without CAP_, in any case; ALL is every one.</summary>
    /// <exception cref="CrashcartException">There is no such capability.</exception>
    public static ulong Mask(IEnumerable<string> names)
    {
        ulong mask = 0;
        foreach (string name in names)
            mask |= Bit(name);
        return mask;
    }

    /// <summary>Without CAP_; of one that this code does not know, its number.</summary>
    public static string NameOf(int bit) => bit < Names.Length ? Names[bit] : bit.ToString(CultureInfo.InvariantCulture);

    private static ulong Bit(string name)
    {
        string plain = name.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase) ? name[4..] : name;
        if (plain.Equals("ALL", StringComparison.OrdinalIgnoreCase))
            return ulong.MaxValue;
        int bit = Array.FindIndex(Names, known => known.Equals(plain, StringComparison.OrdinalIgnoreCase));
        return bit >= 0
            ? 1UL << bit
            : throw new CrashcartException(FailureReason.BadRequest, $"There is no capability '{name}': {Hint(plain)}.");
    }

    private static string Hint(string name)
    {
        string[] near = [.. Names.Where(known =>
            name.Length >= 3 && (known.Contains(name, StringComparison.OrdinalIgnoreCase) || name.Contains(known, StringComparison.OrdinalIgnoreCase)))];
        return near.Length > 0 ? $"perhaps {string.Join(" or ", near)} was meant" : "see capabilities(7) for their names";
    }

    private static ulong OwnBoundingSet()
    {
        string status = ProcFile.TryRead("/proc/self/status") ?? "";
        return ulong.Parse(ProcFile.Field(status, "CapBnd") ?? "0", NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}

/// <summary>The capability sets of one tool.</summary>
/// <param name="Bounding">Also permitted and effective, for a tool that runs as root.</param>
/// <param name="Ambient">Kept by a tool that does not run as root.</param>
internal readonly record struct ToolCapabilities(ulong Bounding, ulong Ambient, bool NoNewPrivileges, SystemCalls SystemCalls)
{
    /// <summary>The program of seccomp(2) for the tool; null when it may make every call.</summary>
    public byte[]? Filter => SystemCalls switch
    {
        SystemCalls.OfContainers => SyscallFilter.OfContainers(Bounding),
        SystemCalls.NoFileHandles => SyscallFilter.NoFileHandles(),
        _ => null,
    };
}

/// <summary>Which system calls a tool may make; of <see cref="SyscallFilter"/>.</summary>
internal enum SystemCalls
{
    All,
    NoFileHandles,
    OfContainers,
}
