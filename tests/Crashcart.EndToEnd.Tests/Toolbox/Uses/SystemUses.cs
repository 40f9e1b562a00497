namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Looking at the machine and at the container.</summary>
internal static class SystemUses
{
    public static readonly IReadOnlyList<Use> All =
    [
        new("date", "TZ=Europe/Berlin date -d @0 '+%F %H:%M'", "1970-01-01 01:00"),
        new("uname", "uname -s", "Linux"),
        new("hostname", "test $(hostname) = $(cat /etc/hostname) && echo the same", "the same"),
        new("uptime", "uptime", "load average"),
        new("free", "free -m", "Mem:"),
        new("vmstat", "vmstat 1 2", "procs", "swpd"),
        new("slabtop", "slabtop -o", "OBJS")
        {
            Refusals = [new(Where.UserNamespace, "/proc/slabinfo is for the root of the host's user namespace", 1, "Permission denied")],
        },
        new("nproc", "seq $(nproc)", "1\n"),
        new("lscpu", "lscpu", "CPU(s):"),
        new("lsblk", "lsblk", "NAME"),
        new("losetup", "losetup --find 2>&1 | grep loop", "loop"), // A container has none, or none that it can open.
        new("lsipc", "lsipc", "MSGMNI"),
        new("ipcs", "ipcs", "Shared Memory Segments"),
        new("lslocks", "flock lock lslocks -o COMMAND,TYPE", "COMMAND", "flock"),
        new("lsns", "lsns -t uts", "app"),
        new("findmnt", "findmnt -n -o FSTYPE /proc", "proc"),
        new("mountpoint", "mountpoint /proc", "/proc is a mountpoint"),
        new("mount", "mount", "proc on /proc type proc"),
        new("mount umount mountpoint", "mkdir m && mount -t tmpfs none m && mountpoint m && umount m && ! mountpoint m", "m is a mountpoint", "m is not a mountpoint")
        {
            Profile = "privileged",
            Refusals =
            [
                new(Where.DockerExec, "mount(2) needs CAP_SYS_ADMIN, which a container does not have", 32, "permission denied"),
                new(Where.UserNamespace, "the session's mount namespace is the host's user namespace's", 32, "permission denied"),
            ],
        },
        new("sysctl", "sysctl -n kernel.ostype", "Linux"),
        new("dmesg", "dmesg", "[")
        {
            Refusals =
            [
                new(Where.DockerExec, "syslog(2) needs CAP_SYSLOG, which a container does not have", 1, "Operation not permitted"),
                new(Where.UserNamespace, "syslog(2) needs CAP_SYSLOG in the host's user namespace", 1, "Operation not permitted"),
            ],
        },
        new("logger", "logger --stderr --server 127.0.0.1 --port 5514 --tag crashcart well", "crashcart - -", "well"),
        new("getent", "getent passwd root", "root:x:0:0:"),
        new("getent", "getent hosts service.test", "127.0.0.1"),
        new("sar", "sar -u 1 1", "Average:"),
        new("sar sadf", "sar -o data 1 1 >/dev/null && sadf -d data -- -u", "%idle"),
        new("iostat", "iostat", "avg-cpu"),
        new("mpstat", "mpstat", "all"),
        new("pidstat", "pidstat -p 1", "app"),
    ];
}
