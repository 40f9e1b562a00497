using System.Globalization;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A container of a test's, removed when it is disposed.</summary>
internal sealed class Container : IAsyncDisposable
{
    private readonly DockerDaemon _daemon;

    private Container(DockerDaemon daemon, string id, string name, int pid)
    {
        _daemon = daemon;
        Id = id;
        Name = name;
        Pid = pid;
    }

    /// <summary>64 hexadecimal digits.</summary>
    public string Id { get; }

    public string Name { get; }

    /// <summary>The host's PID of its first process, as it was when the container was last looked at.</summary>
    public int Pid { get; private set; }

    public string PidText => Pid.ToString(CultureInfo.InvariantCulture);

    /// <summary>The container's root as the host sees it.</summary>
    public string Root => $"/proc/{Pid}/root";

    public static async Task<Container> Inspect(DockerDaemon daemon, string id)
    {
        var fields = (await daemon.Docker("inspect", "-f", "{{.Id}} {{.Name}} {{.State.Pid}}", id).Output()).Split(' ');
        return new Container(daemon, fields[0], fields[1].TrimStart('/'), int.Parse(fields[2], CultureInfo.InvariantCulture));
    }

    /// <summary>One of docker's verbs that take a container: <c>pause</c>, <c>unpause</c>, <c>kill</c>, <c>restart</c>, …</summary>
    public async Task Docker(params string[] verb)
    {
        await _daemon.Docker([.. verb, Id]).Output();
        Pid = (await Inspect(_daemon, Id)).Pid;
    }

    /// <summary><c>docker exec</c>: what the container itself does.</summary>
    public Command Exec(params string[] command) => _daemon.Docker(["exec", Id, .. command]);

    public string[] Mounts() => File.ReadAllLines($"/proc/{Pid}/mountinfo");

    public string[] Dev() => [.. Directory.GetFileSystemEntries($"{Root}/dev").Order(StringComparer.Ordinal)];

    /// <summary>Host PIDs of everything in it.</summary>
    public async Task<int[]> Processes() =>
        [.. (await _daemon.Docker("top", Id, "-eo", "pid").Output()).Split('\n').Skip(1).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];

    public async ValueTask DisposeAsync() => await _daemon.Docker("rm", "-f", Id).Run();
}
