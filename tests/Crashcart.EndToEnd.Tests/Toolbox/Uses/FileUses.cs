namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Looking at files, and making some.</summary>
internal static class FileUses
{
    public static readonly IReadOnlyList<Use> All =
    [
        new("ls", "ls -l /app", "rwxr-xr-x", "/app"),
        new("cp mv ln cat", "cp /lab/hello a && ln -s a b && mv a c && ln c a && cat b", "hello from the lab"),
        new("mkdir touch rm rmdir", "mkdir -p d/e && touch d/f && rm d/f && rmdir d/e d && ls -d d", "cannot access 'd'") { Status = 2 },
        new("chmod chown chgrp stat", "cp /lab/hello f && chmod 640 f && chown 0:0 f && chgrp 0 f && stat -c %a:%u:%g:%s f", "640:0:0:19"),
        new("dd truncate du", "dd if=/dev/zero of=f bs=1024 count=4 && truncate -s 8192 f && du -b f", "4+0 records out", "8192\tf"),
        new("fallocate sync", "fallocate -l 64K f && sync f && stat -c %s f", "65536"),
        new("df", "df -h /dev/shm", "Mounted on", "/dev/shm"),
        new("mktemp mkfifo", "p=$(mktemp -u -p .) && mkfifo $p && (cat /lab/hello >$p & cat $p)", "hello from the lab"),
        new("readlink realpath basename dirname", "ln -s /lab/hello l && readlink l && dirname $(realpath l) && basename $(realpath l)", "/lab/hello\n/lab\nhello\n"),
        new("test", "test -s /lab/hello"),
        new("test", "test -s /nowhere") { Status = 1 },
        new("find xargs", "mkdir d && touch d/b.log a.log && find . -name '*.log' -print0 | sort -z | xargs -0 echo found", "found ./a.log ./d/b.log"),
        new("tree", "mkdir -p d/e && tree d", "2 directories"),
        new("file", "file /app", "ELF 64-bit LSB executable", "not stripped"),
        new("file gzip", "gzip -c /lab/hello | file -", "gzip compressed data"),
        new("namei", "namei -l /lab/hello", "lab", "hello"),
        new("which", "which ls", "/dev/crashcart/bin/ls"),
        new("whereis", "whereis -b ls", "/dev/crashcart/bin/ls"),
        new("md5sum", "md5sum /lab/hello", "75c609d47f4a421ed935629297883447"),
        new("sha256sum", "sha256sum /lab/hello", "815944980a6088f9f1d01a2a0e63cdefb877afb5a865a54e9244f6e8c1c411b3"),
        new("base64", "base64 /lab/hello", "aGVsbG8gZnJvbSB0aGUgbGFiCg=="),
        new("pwd", "pwd", "/desk/"),
        new("split", "split -l 1 - part && cat partab", "second") { Input = "first\nsecond\n" },
        new("tee", "tee copy && cat copy", "twice\ntwice\n") { Input = "twice\n" },
        new("fincore", "fincore /lab/hello", "RES PAGES", "/lab/hello"),
        new("flock", "flock lock echo held", "held"),
    ];
}
