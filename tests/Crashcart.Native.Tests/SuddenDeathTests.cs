using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Crashcart.Native.Tests;

public sealed class SuddenDeathTests(ITestOutputHelper output) : IDisposable
{
    private readonly Toolbox _box = new();

    [Fact]
    public void Defect_17_killing_who_holds_an_image_frees_its_loop_device()
    {
        using var images = new ImageDirectory();
        string path = images.MakeErofs();
        using Process holder = ClientProgram.Start("hold", path);
        Assert.Equal(Assert.Single(WaitForDevices(images, holder)).Device, images.LoopDevices()[0].Device);
        holder.KillNow();
        Eventually.Holds(() => images.LoopDevices().Count == 0, "the device is free");
    }

    [Fact]
    public void Defect_17_killing_the_client_ends_the_tool_and_removes_everything()
    {
        ToolSpec spec = _box.Script("");
        using Process client = ClientProgram.Start(
            "run", $"{_box.Container.Pid}", _box.ImagePath, spec.SessionName, "private", "trap '' HUP; setsid sleep 100000 & echo started; sleep 100000");
        Assert.Equal("started", client.StandardOutput.ReadLine());
        Assert.NotEmpty(_box.Cgroups());
        client.KillNow();
        Eventually.Holds(() => _box.Cgroups().Count == 0, "the session's cgroups are gone");
        Eventually.Holds(() => _box.ProcessesInContainer() == 1, "only the container's own process is left");
    }

    /// <remarks>CRASHCART_DEATHS is how many; it prints how far the client had come each time.</remarks>
    [Fact]
    public void A_client_that_is_killed_at_any_moment_of_its_life_leaves_nothing()
    {
        int rounds = int.Parse(Environment.GetEnvironmentVariable("CRASHCART_DEATHS") ?? "12", CultureInfo.InvariantCulture);
        string image = _box.MakeImage();
        TimeSpan life = TimeToStart();
        int attached = 0, inCgroup = 0, inContainer = 0;
        for (int i = 0; i < rounds; i++)
        {
            using Process client = StartClient();
            // From the runtime's start to a while after the tool's, evenly; a client that ends by itself is a failure of its own.
            Assert.False(client.WaitForExit(life * 1.2 * i / rounds));
            client.Kill();
            attached += LoopDeviceInfo.List().Any(device => device.BackingFile == image) ? 1 : 0;
            inCgroup += _box.Cgroups().Count > 0 ? 1 : 0;
            inContainer += _box.ProcessesInContainer() > 1 ? 1 : 0;
            client.WaitForExit();
            Eventually.Holds(() => _box.Cgroups().Count == 0, "the session's cgroups are gone");
            Eventually.Holds(() => _box.ProcessesInContainer() == 1, "only the container's own process is left");
            Eventually.Holds(() => LoopDeviceInfo.List().All(device => device.BackingFile != image), "the device is free");
        }
        output.WriteLine($"{rounds} deaths: image attached {attached}, session's cgroup made {inCgroup}, in the container {inContainer}; {life.TotalMilliseconds:0} ms to the tool's start");
        Assert.InRange(inContainer, 1, rounds);

        TimeSpan TimeToStart()
        {
            var watch = Stopwatch.StartNew();
            using Process client = StartClient();
            Assert.Equal("started", client.StandardOutput.ReadLine());
            client.KillNow();
            return watch.Elapsed;
        }

        Process StartClient() => ClientProgram.Start(
            "run", $"{_box.Container.Pid}", image, _box.Script("").SessionName, "private", "trap '' HUP; setsid sleep 100000 & echo started; sleep 100000");
    }

    [Fact]
    public void A_tool_has_a_moment_to_end_by_itself_when_its_client_was_killed()
    {
        ToolSpec spec = _box.Script("");
        using Process client = ClientProgram.Start(
            "run", $"{_box.Container.Pid}", _box.ImagePath, spec.SessionName, "private",
            "trap 'echo bye > /tmp/said; exit' HUP; echo started; while :; do sleep 100 & wait; done");
        Assert.Equal("started", client.StandardOutput.ReadLine());
        client.KillNow();
        Eventually.Holds(() => File.Exists(_box.Container.Inside("/tmp/said")), "the tool has heard of it");
        Eventually.Holds(() => _box.ProcessesInContainer() == 1, "only the container's own process is left");
    }

    [Fact]
    public void Killing_the_client_and_the_container_at_once_frees_the_loop_device()
    {
        string image = _box.MakeImage();
        ToolSpec spec = _box.Script("");
        using Process client = ClientProgram.Start(
            "run", $"{_box.Container.Pid}", image, spec.SessionName, "private", "echo started; sleep 100000");
        Assert.Equal("started", client.StandardOutput.ReadLine());
        Assert.Contains(LoopDeviceInfo.List(), device => device.BackingFile == image);
        client.Kill();
        _box.Container.Kill();
        client.WaitForExit();
        Eventually.Holds(() => LoopDeviceInfo.List().All(device => device.BackingFile != image), "the device is free");
        Eventually.Holds(() => _box.Cgroups().Count == 0, "the session's cgroups are gone");
    }

    [Fact]
    public async Task The_tool_ends_when_its_client_and_its_guardian_are_killed_at_once()
    {
        ToolSpec spec = _box.Script("");
        using Process client = ClientProgram.Start(
            "run", $"{_box.Container.Pid}", _box.ImagePath, spec.SessionName, "private", "echo started; exec sleep 100000");
        Assert.Equal("started", client.StandardOutput.ReadLine());
        int reaper = Assert.Single(_box.ProcessesOfContainer(pid => File.ReadAllText($"/proc/{pid}/comm") == "crashcart-reap\n"));
        Shell.Run("kill", "-KILL", $"{client.Id}", $"{Toolbox.ParentOf(reaper)}");
        client.WaitForExit();
        Eventually.Holds(() => _box.ProcessesInContainer() == 1, "only the container's own process is left");
        await LeftoverSessions.RemoveSessionAsync(spec.SessionName);
    }

    [Fact]
    public async Task A_guardian_that_somebody_stopped_is_killed_after_a_while()
    {
        await using ToolProcess tool = await _box.StartAsync(_box.Spec("sleep", "100000"));
        int reaper = Assert.Single(_box.ProcessesOfContainer(pid => File.ReadAllText($"/proc/{pid}/comm") == "crashcart-reap\n"));
        Shell.Run("kill", "-STOP", $"{Toolbox.ParentOf(reaper)}");
        await tool.DisposeAsync();
        Assert.Equal(new ToolExit(137, 9), await tool.Exited);
        Assert.Equal(1, _box.ProcessesInContainer());
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_nothing()
    {
        for (int i = 0; i < 50; i++)
        {
            using var stop = new CancellationTokenSource();
            Task<ToolProcess> start = ToolProcess.StartAsync(_box.Target, _box.Image, _box.Spec("sleep", "100000"), ToolStreams.Pipes, stop.Token);
            await stop.CancelAsync();
            try
            {
                await using ToolProcess tool = await start;
            }
            catch (OperationCanceledException e)
            {
                Assert.True(e.CancellationToken.IsCancellationRequested);
            }
            Assert.Empty(_box.Cgroups());
            Assert.Equal(1, _box.ProcessesInContainer());
        }
    }

    public void Dispose() => _box.Dispose();

    private static IReadOnlyList<LoopDeviceInfo> WaitForDevices(ImageDirectory images, Process holder)
    {
        Assert.StartsWith("/dev/loop", holder.StandardOutput.ReadLine(), StringComparison.Ordinal);
        return images.LoopDevices();
    }
}
