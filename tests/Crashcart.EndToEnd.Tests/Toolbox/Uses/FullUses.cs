namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>What the image <c>full</c> has beyond the default one.</summary>
internal static class FullUses
{
    private const string Fetch = "import ssl, urllib.request; trust = ssl.create_default_context(cafile='/lab/ca.pem'); "
        + "print(urllib.request.urlopen('https://localhost:7443/hello', context=trust).read())";

    public static readonly IReadOnlyList<Use> All =
    [
        new("python3", "python3 -c 'import bz2, ctypes, curses, json, lzma, readline, sqlite3, ssl, uuid, zlib; print(json.dumps([6 * 7]))'", "[42]"),
        new("python3", $"python3 -c \"{Fetch}\"", "hello from the lab"),
        new("python3", "python3 -c 'import subprocess; print(subprocess.run(\"readlink /proc/$$/exe\", shell=True, capture_output=True))'", "/dev/crashcart/bin/"),
        new("python3", "python3 -c 'import socket; print(socket.gethostbyname(\"service.test\"))'", "127.0.0.1"),
        new("perf", "perf stat -e task-clock true", "task-clock", "seconds time elapsed")
        {
            Refusals = [new(Where.DockerExec, "Docker's system call filter forbids perf_event_open(2)", 255, "No permission to enable task-clock event")],
        },
        // Settings name programs: those of the container are not read.
        new("perf", "perf config --list | grep -c /trap/", "0") { Status = 1 },
        new("bpftrace", "bpftrace -e 'BEGIN { printf(\"%d\\n\", 6 * 7); exit(); }' || echo refused", "42")
        {
            Profile = "privileged",
            Refusals =
            [
                new(Where.DockerExec, "bpf(2) needs CAP_BPF, which a container does not have", 0, "ERROR: ", "refused"),
                new(Where.UserNamespace, "bpf(2) needs CAP_BPF in the host's user namespace", 0, "ERROR: ", "refused"),
            ],
        },
        new("psql", "psql -h /lab -U root -At -c 'select state'", "all is well"),
        new("redis-cli", "redis-cli -s /lab/redis ping", "PONG"),
        new("pg_isready", "pg_isready -h /lab", "accepting connections"),
        new("mariadb", "mariadb --skip-ssl --socket=/lab/mariadb -N -e 'select state'", "all is well"),
        new("mysql", "mysql --skip-ssl --socket=/lab/mariadb -N -e 'select state'", "all is well"),
        new("sqlite3", "sqlite3 base 'create table t (n); insert into t values (42); select n from t'", "42"),
    ];
}
