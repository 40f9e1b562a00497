namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Looking at processes, and starting or ending some.</summary>
internal static class ProcessUses
{
    public static readonly IReadOnlyList<Use> All =
    [
        new("ps", "ps -eo pid,comm", "1 app"),
        new("pstree", "pstree -p 1", "app(1)"),
        new("top", "top -b -n 1", "load average", "app"),
        new("pgrep", "pgrep -x app", "1\n"),
        new("pidof", "pidof app", "1"),
        new("pmap", "pmap 1", "/app", "total"),
        new("pwdx", "pwdx 1", "1: /"),
        new("prtstat", "prtstat 1", "Process: app"),
        new("fuser", "fuser -v /app", "app"),
        new("lsof", "lsof -p 1", "app", "txt", "/app"),
        new("lsof", "lsof -nP -iTCP:8080", "127.0.0.1:8080 (LISTEN)"),
        new("lsfd", "lsfd -p 1", "app", "sockfs"),
        new("pldd", "sleep 61 & for i in $(seq 500); do pldd $! | grep -q libc.so.6 && break; done; pldd $!; kill $!", "libc.so.6"),
        new("ldd", "ldd /dev/crashcart/bin/bash", "libtinfo.so.6 => /dev/crashcart/lib/libtinfo.so.6"),
        new("sleep kill", "sleep 62 & env kill -s TERM $!; wait $!; echo ended with $?", "ended with 143"),
        new("pkill", "sleep 63 & until pkill -f '^sleep 63'; do :; done; wait $!; echo ended with $?", "ended with 143"),
        new("killall", "killall -v -0 app", "app(1) with signal 0"),
        new("pidwait", "sleep 1.264 & until pidwait -f '^sleep 1.264' || ! kill -0 $!; do :; done; echo waited", "waited"),
        new("timeout", "timeout 0.2 sleep 64") { Status = 124 },
        new("time", "env time -f took:%e sleep 0.1", "took:0.1"),
        new("nohup", "nohup echo not hung up", "not hung up"),
        new("setsid", "setsid --wait echo a session of its own", "a session of its own"),
        new("nice", "nice -n 5 nice", "5\n"),
        new("renice", "renice -n 7 -p $$", "new priority 7"),
        new("ionice", "ionice -c 3 ionice", "idle"),
        new("chrt", "chrt --batch 0 chrt -p 0", "SCHED_BATCH"),
        new("taskset", "taskset -c 0 bash -c 'taskset -cp $$'", "affinity list: 0"),
        new("choom", "choom -n 100 -- choom -p $$", "OOM score adjust value"),
        new("prlimit", "prlimit --nofile=64 bash -c 'ulimit -n'", "64"),
        new("setarch", "setarch --uname-2.6 uname -r", "2.6."),
        new("setpriv", "setpriv --reuid 1000 --regid 1000 --clear-groups id -u", "1000"),
        new("chroot", "chroot / /dev/crashcart/bin/echo inside", "inside"),
        new("script", "script -qec 'tty && echo recorded' log && grep -c recorded log", "/dev/pts/", "recorded"),
        new("stty tty", "script -qec 'stty rows 33 && stty size && tty' /dev/null", "33 ", "/dev/pts/"),
        new("tty", "tty", "not a tty") { Status = 1 },
        new("id", "id", "uid=0(root) gid=0(root)"),
        new("groups", "groups", "root"),
        new("whoami", "whoami", "root"),
        new("who", "who --count", "# users=0"),
        new("w", "w", "USER"),
        new("unshare", "unshare --user --map-root-user id -u", "0")
        {
            Refusals = [new(Where.DockerExec, "Docker's system call filter forbids new user namespaces", 1, "unshare failed: Operation not permitted")],
        },
        new("nsenter hostname", "nsenter -t 1 -u hostname | cmp - /etc/hostname && echo the same", "the same")
        {
            Profile = "privileged",
            Refusals = [new(Where.DockerExec, "setns(2) needs CAP_SYS_ADMIN, which a container does not have", 1, "failed: Operation not permitted")],
        },
        new("capsh", "capsh --print", "Current: "),
        new("getcap", "getcap -v /app", "/app"),
        new("getpcaps", "getpcaps 1", "1: "),
    ];
}
