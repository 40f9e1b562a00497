using System.Runtime.InteropServices;
using Tmds.Linux;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native.Syscalls;

/// <summary>Calls that Tmds.LibC does not bind, as their man pages have them: -1 and errno on failure.</summary>
internal static unsafe partial class Calls
{
    // By its exact name, which is loaded already: the runtime tries some ninety paths for a plain "libc".
    private const string Libc = "libc.so.6";

    // asm/unistd.h: not the same on both architectures.
    private static readonly int SYS_bpf = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? 280 : 321;
    private static readonly int SYS_getdents64 = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? 61 : 217;

    /// <summary>pidfd_open(2)</summary>
    public static int pidfd_open(int pid, uint flags) => (int)syscall(SYS_pidfd_open, pid, flags);

    /// <summary>pidfd_send_signal(2)</summary>
    public static int pidfd_send_signal(int pidfd, int signal) =>
        (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void*)null, 0);

    /// <summary>open_tree(2)</summary>
    public static int open_tree(int dirfd, byte* path, int flags) => (int)syscall(SYS_open_tree, dirfd, path, flags);

    /// <summary>fsopen(2)</summary>
    public static int fsopen(byte* type, int flags) => (int)syscall(SYS_fsopen, type, flags);

    /// <summary>fsconfig(2)</summary>
    public static int fsconfig(int fd, int command, byte* key, byte* value, int aux) =>
        (int)syscall(SYS_fsconfig, fd, command, key, value, aux);

    /// <summary>fsmount(2)</summary>
    public static int fsmount(int fd, int flags, int attributes) => (int)syscall(SYS_fsmount, fd, flags, attributes);

    /// <summary>getdents64(2)</summary>
    public static int getdents64(int fd, byte* entries, int size) => (int)syscall(SYS_getdents64, fd, entries, size);

    /// <summary>bpf(2)</summary>
    public static int bpf(int command, bpf_attr* attributes) => (int)syscall(SYS_bpf, command, attributes, sizeof(bpf_attr));

    /// <summary>flock(2)</summary>
    [LibraryImport(Libc, SetLastError = true)]
    public static partial int flock(int fd, int operation);

    /// <summary>renameat(2)</summary>
    [LibraryImport(Libc, SetLastError = true)]
    public static partial int renameat(int from, byte* name, int to, byte* newName);

    /// <summary>waitid(2)</summary>
    [LibraryImport(Libc, SetLastError = true)]
    public static partial int waitid(int type, int id, siginfo_t* info, int options);

    /// <summary>timerfd_create(2)</summary>
    [LibraryImport(Libc, SetLastError = true)]
    public static partial int timerfd_create(int clock, int flags);

    /// <summary>timerfd_settime(2)</summary>
    [LibraryImport(Libc, SetLastError = true)]
    public static partial int timerfd_settime(int fd, int flags, itimerspec* value, itimerspec* old);

    /// <summary>posix_spawn(3): returns the error number, and leaves errno alone.</summary>
    [LibraryImport(Libc)]
    public static partial int posix_spawn(int* pid, byte* path, void* actions, void* attributes, byte** argv, byte** envp);

    [LibraryImport(Libc)]
    public static partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport(Libc)]
    public static partial int posix_spawn_file_actions_adddup2(void* actions, int from, int to);

    [LibraryImport(Libc)]
    public static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport(Libc)]
    public static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport(Libc)]
    public static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport(Libc)]
    public static partial int posix_spawnattr_setsigdefault(void* attributes, sigset_t* signals);

    [LibraryImport(Libc)]
    public static partial int posix_spawnattr_setsigmask(void* attributes, sigset_t* signals);

    [LibraryImport(Libc)]
    public static partial int posix_spawnattr_destroy(void* attributes);
}
