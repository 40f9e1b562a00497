using System.Globalization;
using System.Text;

namespace Crashcart.Native.Tests;

/// <summary>One container, one attached image, and tools run in it. At the end nothing of any of them may be left.</summary>
public sealed class Toolbox : IDisposable
{
    private readonly ImageDirectory _images = new();
    private readonly string _sessions = $"native-tests-{Guid.NewGuid():n}";
    private int _count;

    public Toolbox(
        string setup = "", string command = "exec /bin/busybox cat", bool userNamespace = false, string? without = null,
        bool hostPids = false, string? program = null)
    {
        Container = TestContainer.Start(setup, command, userNamespace, without, hostPids, program);
        Target = TargetProcess.Open(Container.Pid);
        ImagePath = _images.MakeErofs();
        Image = AttachedImage.Attach(ImagePath);
    }

    public TestContainer Container { get; }

    public TargetProcess Target { get; }

    public string ImagePath { get; }

    public AttachedImage Image { get; }

    public string MakeImage() => _images.MakeErofs();

    public ToolSpec Spec(params string[] arguments) =>
        new() { Arguments = arguments, SessionName = $"{_sessions}/{Interlocked.Increment(ref _count)}" };

    public ToolSpec Script(string script) => Spec("sh", "-c", script);

    public Task<ToolProcess> StartAsync(ToolSpec spec, ToolStreams streams = ToolStreams.Pipes) =>
        ToolProcess.StartAsync(Target, Image, spec, streams);

    /// <summary>Runs a tool to its end, with an empty standard input.</summary>
    public async Task<ToolResult> RunAsync(ToolSpec spec)
    {
        await using ToolProcess tool = await StartAsync(spec, ToolStreams.OutputPipes);
        Task<string> output = ReadAsync(tool.StandardOutput!), errors = ReadAsync(tool.StandardError!);
        ToolExit exit = await tool.Exited.WaitAsync(TimeSpan.FromSeconds(30));
        return new ToolResult(exit, await output, await errors);
    }

    public async Task<CrashcartException> RefusedAsync(ToolSpec spec, ToolStreams streams = ToolStreams.OutputPipes) =>
        await Assert.ThrowsAsync<CrashcartException>(() => StartAsync(spec, streams));

    public static async Task<string> ReadAsync(Stream stream)
    {
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    public static async Task<string> ReadLineAsync(Stream stream)
    {
        using var bytes = new MemoryStream();
        byte[] one = new byte[1];
        while (one[0] != (byte)'\n' && await stream.ReadAsync(one) == 1)
            bytes.Write(one);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    /// <summary>The session cgroups that are there.</summary>
    public IReadOnlyList<string> Cgroups() =>
        [.. CgroupHierarchy.ReadOwn().Select(hierarchy => $"{hierarchy.MountPoint}/crashcart/{_sessions}").Where(Directory.Exists)];

    /// <summary>The container's processes; not the reaper of a guardian that was killed, which is left to the host's init.</summary>
    public int ProcessesInContainer() => ProcessesOfContainer(pid => ParentOf(pid) != 1).Count;

    /// <summary>What is in the container's PID namespace, as the host counts it.</summary>
    public IReadOnlyList<int> ProcessesOfContainer(Func<int, bool> condition)
    {
        FileIdentity? space = FileIdentity.Of($"/proc/{Container.Pid}/ns/pid");
        return [.. TargetProcess.ProcessIds().Where(pid => FileIdentity.Of($"/proc/{pid}/ns/pid") == space && condition(pid))];
    }

    public static int ParentOf(int pid) =>
        int.Parse(ProcFile.Field(ProcFile.TryRead($"/proc/{pid}/status") ?? "PPid: 0", "PPid")!, CultureInfo.InvariantCulture);

    public void Dispose()
    {
        Assert.Empty(Cgroups());
        Eventually.Holds(() => ZombiesNamed("crashcart-enter") == 0, "every guardian is reaped");
        Target.Dispose();
        Image.Dispose();
        Container.Dispose();
        _images.Dispose();
    }

    // A guardian that nobody has reaped.
    private static int ZombiesNamed(string name) =>
        Directory.EnumerateDirectories("/proc/self/task")
            .Select(task => ProcFile.TryRead(task + "/children") ?? "")
            .SelectMany(children => children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(child => ProcFile.TryRead($"/proc/{child}/stat") ?? "")
            .Count(stat => stat.Contains($"({name}) Z", StringComparison.Ordinal));
}

public readonly record struct ToolResult(ToolExit Exit, string Output, string Errors);
