using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>A container of one kind with one road into it, and the services that the uses need running in it.</summary>
internal sealed class UseBox : IAsyncDisposable
{
    /// <summary>For docker(1), which knows the container's PATH only; what the tool then finds by that PATH is its own affair.</summary>
    private const string Tools = "/dev/crashcart/bin/";

    /// <summary>docker(1) tells a terminal's size only after the tool has started, which may have drawn itself by then.</summary>
    private const string WhenSized = "until [ \"$(stty size)\" = '30 100' ]; do :; done; exec \"$0\" \"$@\"";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(5);

    private readonly LocalHost _host;
    private readonly string _image;
    private readonly List<RunningCommand> _services = [];

    private UseBox(LocalHost host, string image, UsePlace place, Container container)
    {
        _host = host;
        _image = image;
        Place = place;
        Container = container;
    }

    public UsePlace Place { get; }

    public Container Container { get; }

    /// <param name="image">The toolbox.</param>
    /// <param name="options">For <c>docker run</c>.</param>
    public static async Task<UseBox> Open(LocalHost host, string image, UsePlace place, string[] options)
    {
        var container = await host.Docker.Run(place.Kind.Image, [.. place.Kind.Options, .. options]);
        var box = new UseBox(host, image, place, container);
        if (place.Road == Road.DockerExec)
            (await host.Crashcart("mount", "-i", image, container.PidText).Run()).Succeeded();
        return box;
    }

    /// <summary>Starts servers and waits until they listen; the answer says which do not.</summary>
    public async Task<IReadOnlyList<string>> Start(IEnumerable<Service> services)
    {
        var failures = new List<string>();
        foreach (var service in services)
        {
            var running = Command("/lab", service.Line.Split(' ')).Start();
            _services.Add(running);
            running.CloseInput();
            await Eventually.Holds(
                () => running.HasExited || service.IsReady(Container.Pid),
                () => $"'{service.Line}' listens in {Place}; it said '{running.OutputSoFar}{running.ErrorSoFar}'");
            if (running.HasExited)
                failures.Add($"{service.Tool} in {Place}: {service.Line}\n    ended: {running.OutputSoFar}{running.ErrorSoFar}");
        }
        return failures;
    }

    /// <summary>A tool in a directory of the container.</summary>
    /// <param name="profile">For <c>crashcart exec</c>; null is its default.</param>
    public Command Command(string directory, string[] words, string? profile = null) => Place.Road switch
    {
        Road.CrashcartExec => _host.Crashcart(["exec", "-i", _image, "-w", directory, "--profile", profile ?? "debug", Container.PidText, "--", .. words]),
        _ => _host.Docker.Docker(["exec", "-i", "-w", directory, Container.Id, Tools + words[0], .. words[1..]]),
    } with
    { Patience = Patience };

    /// <summary>The same on a terminal.</summary>
    public Command TerminalCommand(string directory, string[] words) => Place.Road switch
    {
        Road.CrashcartExec => Command(directory, words),
        _ => _host.Docker.Docker(["exec", "-it", "-w", directory, Container.Id, $"{Tools}bash", "-c", WhenSized, .. words]),
    };

    /// <summary>What a tool could leave in the container, one line a thing.</summary>
    public async Task<IReadOnlyList<string>> Traces() =>
    [
        .. (await _host.Docker.Docker("diff", Container.Id).Output()).Split('\n'),
        .. (await Container.Processes()).Select(pid => $"process {HostProcess.CommandLine(pid)}").Order(StringComparer.Ordinal),
        .. Container.Mounts().Select(mount => $"mount {mount}"),
        .. Container.Dev(),
        .. Directory.GetFileSystemEntries($"{Container.Root}/dev/shm"),
    ];

    /// <summary>What is not as it was, once what is ending has ended.</summary>
    public async Task<IReadOnlyList<string>> Changes(IReadOnlyList<string> before)
    {
        IReadOnlyList<string> now = [];
        try
        {
            await Eventually.Holds(async () => (now = await Traces()).SequenceEqual(before), "the container is as it was", ReleasePatience);
            return [];
        }
        catch (TimeoutException)
        {
            return [.. now.Except(before).Select(trace => $"left in {Place}: {trace}"), .. before.Except(now).Select(trace => $"gone from {Place}: {trace}")];
        }
    }

    public async Task StopServices()
    {
        // docker(1) passes no signal on to what it executes.
        if (Place.Road == Road.DockerExec)
        {
            foreach (var pid in (await Container.Processes()).Where(pid => pid != Container.Pid))
                _ = LibC.kill(pid, LibC.SIGTERM);
        }
        foreach (var service in _services)
        {
            if (Place.Road == Road.CrashcartExec)
                service.Signal(LibC.SIGTERM);
            await service.Result();
            await service.DisposeAsync();
        }
        _services.Clear();
    }

    public ValueTask DisposeAsync() => Container.DisposeAsync();
}
