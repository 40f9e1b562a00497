using System.Runtime.InteropServices;

namespace Crashcart.Native;

/// <summary>
/// Programs of seccomp(2) for tools: which system calls they may not make. What a filter refuses fails with EPERM, as in a
/// container; a call that is newer than the filter does not exist for the tool (ENOSYS), for nobody knows what it could do.
/// </summary>
internal static class SyscallFilter
{
    private const uint NewestKnown = 466;

    // struct seccomp_data
    private const uint Number = 0;
    private const uint Architecture = 4;
    private const uint FirstArgument = 16;

    private const uint EPERM = 1;
    private const uint ENOSYS = 38;

    /// <summary>Every flag of clone(2) that makes a namespace.</summary>
    private const uint NamespaceFlags = 0x7e020000;

    private const uint AF_VSOCK = 40;

    // personality(2): PER_LINUX, PER_LINUX32, each also with UNAME26, and the question.
    private static readonly uint[] Personalities = [0, 0x0008, 0x20000, 0x20008, uint.MaxValue];

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64;

    /// <summary>Calls that a container may not make, unless it has one of the capabilities; with none named, never.</summary>
    internal static IReadOnlyList<SyscallRule> Rules { get; } =
    [
        new("acct", 163, 89, "SYS_PACCT"),
        new("add_key", 248, 217),
        new("bpf", 321, 280, "SYS_ADMIN", "BPF"),
        new("chroot", 161, 51, "SYS_CHROOT"),
        new("clock_adjtime", 305, 266, "SYS_TIME"),
        new("clock_settime", 227, 112, "SYS_TIME"),
        new("create_module", 174, null, "SYS_MODULE"),
        new("delete_module", 176, 106, "SYS_MODULE"),
        new("fanotify_init", 300, 262, "SYS_ADMIN"),
        new("finit_module", 313, 273, "SYS_MODULE"),
        new("fsconfig", 431, 431, "SYS_ADMIN"),
        new("fsmount", 432, 432, "SYS_ADMIN"),
        new("fsopen", 430, 430, "SYS_ADMIN"),
        new("fspick", 433, 433, "SYS_ADMIN"),
        new("get_kernel_syms", 177, null),
        new("get_mempolicy", 239, 236, "SYS_NICE"),
        new("init_module", 175, 105, "SYS_MODULE"),
        new("io_uring_enter", 426, 426),
        new("io_uring_register", 427, 427),
        new("io_uring_setup", 425, 425),
        new("ioperm", 173, null, "SYS_RAWIO"),
        new("iopl", 172, null, "SYS_RAWIO"),
        new("kcmp", 312, 272, "SYS_PTRACE"),
        new("kexec_file_load", 320, 294, "SYS_BOOT"),
        new("kexec_load", 246, 104, "SYS_BOOT"),
        new("keyctl", 250, 219),
        new("listmount", 458, 458, "SYS_ADMIN"),
        new("lookup_dcookie", 212, 18, "SYS_ADMIN"),
        new("mbind", 237, 235, "SYS_NICE"),
        new("migrate_pages", 256, 238, "SYS_NICE"),
        new("mount", 165, 40, "SYS_ADMIN"),
        new("mount_setattr", 442, 442, "SYS_ADMIN"),
        new("move_mount", 429, 429, "SYS_ADMIN"),
        new("move_pages", 279, 239, "SYS_NICE"),
        new("nfsservctl", 180, 42),
        new("open_by_handle_at", 304, 265, "DAC_READ_SEARCH"),
        new("open_tree", 428, 428, "SYS_ADMIN"),
        new("perf_event_open", 298, 241, "SYS_ADMIN", "PERFMON"),
        new("pidfd_getfd", 438, 438, "SYS_PTRACE"),
        new("pivot_root", 155, 41),
        new("process_madvise", 440, 440, "SYS_PTRACE"),
        new("query_module", 178, null),
        new("quotactl", 179, 60, "SYS_ADMIN"),
        new("quotactl_fd", 443, 443, "SYS_ADMIN"),
        new("reboot", 169, 142, "SYS_BOOT"),
        new("request_key", 249, 218),
        new("set_mempolicy", 238, 237, "SYS_NICE"),
        new("set_mempolicy_home_node", 450, 450, "SYS_NICE"),
        new("setdomainname", 171, 162, "SYS_ADMIN"),
        new("sethostname", 170, 161, "SYS_ADMIN"),
        new("setns", 308, 268, "SYS_ADMIN"),
        new("settimeofday", 164, 170, "SYS_TIME"),
        new("statmount", 457, 457, "SYS_ADMIN"),
        new("swapoff", 168, 225),
        new("swapon", 167, 224),
        new("sysfs", 139, null),
        new("syslog", 103, 116, "SYS_ADMIN", "SYSLOG"),
        new("umount2", 166, 39, "SYS_ADMIN"),
        new("unshare", 272, 97, "SYS_ADMIN"),
        new("uselib", 134, null),
        new("userfaultfd", 323, 282),
        new("ustat", 136, null),
        new("vhangup", 153, 58, "SYS_TTY_CONFIG"),
        new("_sysctl", 156, null),
    ];

    /// <summary>What a container engine lets a container do that has these capabilities and no filter of its own choice.</summary>
    /// <returns>The instructions, of 8 bytes each.</returns>
    public static byte[] OfContainers(ulong capabilities)
    {
        bool mayMakeNamespaces = (capabilities & Capabilities.Mask(["SYS_ADMIN"])) != 0;
        var code = new FilterCode();
        code.Load(Architecture);
        code.JumpUnless(FilterCode.Equal, NativeArchitecture, "denied");
        code.Load(Number);
        code.JumpIf(FilterCode.Greater, NewestKnown, "unknown");
        foreach (SyscallRule rule in Rules.Where(rule => !rule.Allows(capabilities)))
        {
            if (rule.NumberOn(IsArm) is { } number)
                code.JumpIf(FilterCode.Equal, number, "denied");
        }

        if (!mayMakeNamespaces)
        {
            // Its flags are out of a filter's reach; without it the C library takes clone(2).
            code.JumpIf(FilterCode.Equal, 435, "unknown");
            code.JumpIf(FilterCode.Equal, IsArm ? 220u : 56u, "clone");
        }

        code.JumpIf(FilterCode.Equal, IsArm ? 92u : 135u, "personality");
        code.JumpIf(FilterCode.Equal, IsArm ? 198u : 41u, "socket");
        code.Allow();
        if (!mayMakeNamespaces)
        {
            code.Label("clone");
            code.Load(FirstArgument);
            code.JumpIf(FilterCode.AnyBit, NamespaceFlags, "denied");
            code.Allow();
        }

        code.Label("personality");
        code.Load(FirstArgument);
        foreach (uint personality in Personalities)
            code.JumpIf(FilterCode.Equal, personality, "allowed");
        code.Deny(EPERM);
        code.Label("socket");
        code.Load(FirstArgument);
        code.JumpIf(FilterCode.Equal, AF_VSOCK, "denied");
        code.Label("allowed");
        code.Allow();
        code.Label("denied");
        code.Deny(EPERM);
        code.Label("unknown");
        code.Deny(ENOSYS);
        return code.ToBytes();
    }

    /// <summary>No open_by_handle_at(2), in no way to call it: with CAP_DAC_READ_SEARCH it reaches files outside the container.</summary>
    /// <returns>The instructions, of 8 bytes each.</returns>
    public static byte[] NoFileHandles()
    {
        // The machine's second architecture: i386 or arm.
        uint other = IsArm ? 371u : 342u;
        SyscallRule rule = Rules.Single(rule => rule.Name == "open_by_handle_at");
        var code = new FilterCode();
        code.Load(Architecture);
        code.JumpUnless(FilterCode.Equal, NativeArchitecture, "other");
        code.Load(Number);
        // x32 calls are the same ones with a bit set.
        code.Clear(0x40000000);
        code.JumpIf(FilterCode.Equal, rule.NumberOn(IsArm)!.Value, "denied");
        code.Allow();
        code.Label("other");
        code.Load(Number);
        code.JumpIf(FilterCode.Equal, other, "denied");
        code.Allow();
        code.Label("denied");
        code.Deny(EPERM);
        return code.ToBytes();
    }

    /// <summary>AUDIT_ARCH_AARCH64, AUDIT_ARCH_X86_64</summary>
    private static uint NativeArchitecture => IsArm ? 0xc00000b7 : 0xc000003e;
}

/// <summary>One call, and who may make it.</summary>
/// <param name="X64">Its number on x86-64.</param>
/// <param name="Arm64">Its number on arm64; null: it has none.</param>
internal sealed record SyscallRule(string Name, uint X64, uint? Arm64, params string[] Capabilities)
{
    public bool Allows(ulong capabilities) => (capabilities & Native.Capabilities.Mask(Capabilities)) != 0;

    public uint? NumberOn(bool arm) => arm ? Arm64 : X64;
}
