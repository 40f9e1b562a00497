namespace Crashcart.Native.Syscalls;

/// <summary>
/// What Tmds.LibC lacks of the C headers, under the names that it has there. The system call numbers are the same on
/// x86-64 and arm64. A test prints each name from the headers and compares.
/// </summary>
internal static class Constants
{
    // sys/syscall.h
    public const int SYS_pidfd_send_signal = 424;
    public const int SYS_open_tree = 428;
    public const int SYS_fsopen = 430;
    public const int SYS_fsconfig = 431;
    public const int SYS_fsmount = 432;
    public const int SYS_pidfd_open = 434;

    // linux/loop.h
    public const int LOOP_GET_STATUS64 = 0x4C05;
    public const int LOOP_CONFIGURE = 0x4C0A;
    public const int LOOP_CTL_GET_FREE = 0x4C82;
    public const int LO_NAME_SIZE = 64;
    public const uint LO_FLAGS_READ_ONLY = 1;
    public const uint LO_FLAGS_AUTOCLEAR = 4;

    // linux/mount.h
    public const int OPEN_TREE_CLONE = 1;
    public const int FSOPEN_CLOEXEC = 1;
    public const int FSCONFIG_SET_FLAG = 0;
    public const int FSCONFIG_SET_STRING = 1;
    public const int FSCONFIG_CMD_CREATE = 6;
    public const int FSMOUNT_CLOEXEC = 1;
    public const int MOUNT_ATTR_RDONLY = 1;
    public const int MOUNT_ATTR_NOSUID = 2;
    public const int MOUNT_ATTR_NODEV = 4;

    // linux/bpf.h
    public const int BPF_PROG_LOAD = 5;
    public const int BPF_PROG_ATTACH = 8;
    public const int BPF_PROG_GET_FD_BY_ID = 13;
    public const int BPF_PROG_QUERY = 16;
    public const int BPF_PROG_TYPE_CGROUP_DEVICE = 15;
    public const int BPF_CGROUP_DEVICE = 6;
    public const int BPF_F_ALLOW_MULTI = 2;
    public const int BPF_F_QUERY_EFFECTIVE = 1;

    // linux/sched.h
    public const int CLONE_NEWTIME = 0x80;

    // linux/wait.h, sys/wait.h
    public const int P_PIDFD = 3;
    public const int WEXITED = 4;
    public const int WNOHANG = 1;

    // linux/memfd.h
    public const uint MFD_EXEC = 0x10;

    // sys/file.h
    public const int LOCK_SH = 1;
    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;
    public const int LOCK_UN = 8;

    // stdio.h
    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;

    // time.h, sys/timerfd.h
    public const int CLOCK_MONOTONIC = 1;
    public const int TFD_NONBLOCK = 0x800;
    public const int TFD_CLOEXEC = 0x80000;

    // spawn.h
    public const short POSIX_SPAWN_SETSIGDEF = 0x04;
    public const short POSIX_SPAWN_SETSIGMASK = 0x08;
    public const short POSIX_SPAWN_SETSID = 0x80;

    // linux/magic.h and the file systems' own documentation
    public const uint EROFS_SUPER_MAGIC_V1 = 0xE0F5E1E2;
    public const uint EXT4_SUPER_MAGIC = 0xEF53;
    public const uint SQUASHFS_MAGIC = 0x73717368;
}
