namespace Crashcart.Image.Tests;

/// <summary>Tools started as docker exec starts them, in a container whose every variable and file wants to run its own code.</summary>
[Collection(SharedImage.Name)]
public sealed class HostileContainerTests : IDisposable
{
    private readonly HostileRoot _root;

    public HostileContainerTests(DefaultImage image)
    {
        _root = image.Container;
        _root.Delete(HostileContainer.Mark);
    }

    public void Dispose() => _root.Delete(HostileContainer.Mark);

    [Fact]
    public void What_is_planted_does_leave_a_mark()
    {
        _root.Run(HostileContainer.Environment, "/evil/run");
        Assert.Equal("/evil/run\n", _root.Read(HostileContainer.Mark));
    }

    [Fact]
    public void No_promised_tool_runs_the_containers_code_when_it_starts()
    {
        var guilty = new List<string>();
        foreach (var (name, arguments) in RecipeLoader.Load(RecipeLoader.Default).Executables)
        {
            var words = (arguments ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
            _root.Run(HostileContainer.Environment, [$"/dev/crashcart/bin/{name}", .. words]);
            NoteMark(name, guilty);
        }

        Assert.Empty(guilty);
    }

    [Theory]
    [InlineData("ls /; echo x; cd /; PS4=+; set -x; true")]
    [InlineData("bash -ic 'echo x'")]
    [InlineData("bash -lc 'echo x'")]
    [InlineData("sh -ic 'echo x'")]
    [InlineData("busybox sh -lc 'echo x'")]
    [InlineData("awk 'BEGIN { system(\"echo x\"); \"echo y\" | getline z; print z | \"cat\" }'")]
    [InlineData("cd /; tar -czf /dev/shm/x.tar.gz evil; tar -xzOf /dev/shm/x.tar.gz; tar -I pigz -cf /dev/shm/y.tar evil")]
    [InlineData("git init -q /repo; cd /repo; echo x >f; git add f; git -c user.name=x -c user.email=x@x commit -qm x; git log -p; git diff HEAD; git status; git x")]
    [InlineData("cd /; git clone -q /repo /clone; git ls-remote http://127.0.0.1:1/; git ls-remote https://127.0.0.1:1/")]
    [InlineData("vim -es -c 'r!echo x' -c '%p' -c 'q!'; vim -u DEFAULTS -es -c q; vi -es -c q; view -es -c q")]
    [InlineData("less -FX /etc/passwd; echo x | less -FX; zless /etc/passwd; man ls; echo x | more")]
    [InlineData("gdb -batch -ex 'shell echo x' -ex 'p 1' -ex 'python import json'")]
    [InlineData("gdb -batch -ex run --args /dev/crashcart/bin/true")]
    [InlineData("nmap --script=ssl-cert -p1 127.0.0.1; nmap -sT -p1 127.0.0.1; nping --tcp -c1 127.0.0.1")]
    [InlineData("openssl list -providers; openssl req -new -newkey rsa:2048 -nodes -subj /CN=x -x509 -keyout /dev/null")]
    [InlineData("curl -sS https://127.0.0.1:1/; curl -sS --negotiate -u : http://127.0.0.1:1/; curl -sS ldap://127.0.0.1:1/")]
    [InlineData("wget -q https://127.0.0.1:1/; wget -q http://127.0.0.1:1/")]
    [InlineData("id nobody; getent hosts nobody.invalid; getent passwd nobody; cd /; ls -l /")]
    [InlineData("printf x | iconv -f latin1 -t utf-16; printf x | iconv -f utf-8 -t cp1252; locale -a")]
    [InlineData("jq -n 1; file /bin/sh; diff -l /etc/passwd /etc/group; sort -u /etc/passwd; xxd /etc/passwd; find / -maxdepth 1 -exec echo {} +")]
    [InlineData("dig @127.0.0.1 -p 1 +time=1 +tries=1 x; host -W1 x 127.0.0.1; nslookup -timeout=1 x 127.0.0.1; mtr -r -c1 127.0.0.1")]
    [InlineData("rsync -a /evil/ /dev/shm/copy/; rsync --version; rsync x::y /dev/shm/z")]
    [InlineData("socat -u SYSTEM:'echo x' -; script -qec 'echo x' /dev/null; watch -t -x true; timeout 1 watch -t echo x; xargs echo </etc/passwd")]
    [InlineData("ldd /dev/crashcart/bin/bash; ldd /bin/sh; strings /evil/code.so; nm /evil/code.so; objdump -d /evil/code.so; readelf -a /evil/code.so")]
    [InlineData("stdbuf -oL echo x; time -p true; env -S 'echo x'; nice echo x; setsid echo x; flock /dev/shm/l -c 'echo x'")]
    public void No_tool_runs_the_containers_code_at_work(string commands)
    {
        _root.Run(HostileContainer.Environment, "/dev/crashcart/bin/bash", "-c", commands);
        var guilty = new List<string>();
        NoteMark(commands, guilty);
        // Each of them on its own, without a shell of the image that could have cleaned up for it.
        foreach (var command in commands.Split("; "))
        {
            if (command.Contains('\'') || command.Contains('|') || command.Contains('>') || command.Contains('='))
                continue;
            _root.Run(HostileContainer.Environment, ["/dev/crashcart/bin/" + command.Split(' ')[0], .. command.Split(' ')[1..]]);
            NoteMark(command, guilty);
        }

        Assert.Empty(guilty);
    }

    private void NoteMark(string command, List<string> guilty)
    {
        if (!_root.Exists(HostileContainer.Mark))
            return;
        guilty.Add($"{command}: {_root.Read(HostileContainer.Mark).Trim()}");
        _root.Delete(HostileContainer.Mark);
    }
}
