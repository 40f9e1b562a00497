using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Images of the fleet's when something is in their way: room, turns, and processes that die.</summary>
public sealed class FleetImageFaultTests(ImageHost fleet) : HostTest, IClassFixture<ImageHost>
{
    /// <summary>Large enough that its transfer can be caught under way.</summary>
    private const int Large = 128;

    /// <summary>Megabytes that a disk must have more than the images in it.</summary>
    private const int Spare = 80;

    private static readonly string Coordinator = FleetHost.NameOf(0);

    private FleetNode Alpha => fleet.Nodes[0];

    private FleetNode Beta => fleet.Nodes[1];

    public override async Task DisposeAsync()
    {
        await fleet.Restore();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task What_a_person_has_mounted_outlives_the_node_and_is_not_removed_before_it_is_given_back()
    {
        await using var image = await SmallImage.Make("mounted");
        await using var box = await Alpha.Docker.RunBusybox("--label", "app=mounted");
        await fleet.Sees(1, "app=mounted");
        await Push(image, "mounted:1");
        (await fleet.Crashcart("mount", "-i", "mounted:1", $"alpha/{box.Name}").Run()).Succeeded();
        Assert.Equal("mounted", await box.Exec("cat", "/dev/crashcart/name").Output());
        var stored = Assert.Single(fleet.StoredImages("alpha"));
        var digest = "sha256:" + Path.GetFileNameWithoutExtension(stored)["sha256-".Length..];
        await IsListed();

        await Alpha.Daemon.Kill();
        Alpha.Daemon.Start();
        await fleet.IsWhole();

        await IsListed();
        var removed = await fleet.Crashcart("image", "rm", "mounted:1").Run();
        removed.Succeeded();
        Assert.Matches("alpha still uses it .lease-", removed.Error);
        Assert.Equal([stored], fleet.StoredImages("alpha"));
        (await fleet.Crashcart("fleet", "mount", "-i", "mounted:1", "-l", "app=mounted").Run()).Refused(125, "There is no image mounted:1");
        (await fleet.Crashcart("unmount", $"alpha/{box.Name}").Run()).Succeeded();
        await Eventually.Holds(() => fleet.StoredImages("alpha").Length == 0, () => $"the image is removed\n{fleet.Logs()}");

        Task IsListed() => fleet.Lists(
            fleet.Crashcart("mounts", "-l", "app=mounted", "-o", "json"),
            mounts => mounts.Length == 1 && mounts[0].GetProperty("imageDigest").GetString() == digest);
    }

    [Fact]
    public async Task When_room_is_needed_the_image_goes_that_was_not_used_for_longest_and_never_one_in_use()
    {
        await using var box = await Alpha.Docker.RunScratch();
        foreach (var name in (string[])["room-a", "room-b", "room-c", "room-d"])
        {
            await using var image = await SmallImage.Make(name, megabytes: ImageHost.CacheMegabytes * 3 / 10);
            await Push(image, name);
        }

        await using var first = await Use("room-a");
        foreach (var name in (string[])["room-b", "room-c", "room-b"])
            Assert.Equal(name, await NameIn(name, box));
        await using var last = await Use("room-d");
        Assert.Equal(["room-a", "room-b", "room-d"], await Held("alpha"));

        await using var second = await Use("room-b");
        (await fleet.Crashcart("exec", "-i", "room-c", $"alpha/{box.Name}", "true").Run())
            .Refused(125, "room-c:latest", "no room for it", "--image-cache");
        await End(last);
        Assert.Equal("room-c", await NameIn("room-c", box));
        Assert.Equal(["room-a", "room-b", "room-c"], await Held("alpha"));

        await End(first);
        await End(second);
        await Remove("room-a", "room-b", "room-c", "room-d");

        async Task<RunningCommand> Use(string image)
        {
            var tool = fleet.Crashcart("exec", "-i", image, $"alpha/{box.Name}", "sh", "-c", "echo ready; cat").Start();
            await tool.Says("ready");
            return tool;
        }

        static async Task End(RunningCommand tool)
        {
            tool.CloseInput();
            (await tool.Result()).Succeeded();
        }
    }

    [Fact]
    public async Task A_disk_that_fills_up_is_told_of_and_keeps_nothing_and_the_next_try_works()
    {
        const string BreaksOff = "The image sha256:.* could not be written to .*: (No space left on device|There is no room)";
        await using var image = await SmallImage.Make("full", Large);
        await using var box = await Alpha.Docker.RunScratch();
        await using var disk = await SmallDisk.Over(fleet.ImagesOf(Coordinator), Large + Spare);
        var push = fleet.Crashcart("image", "push", image.Path, "full");
        await using (var running = push.Start())
        {
            using (await HalfWay(Coordinator, running.Pid))
                await disk.Fill();
            await IsRefused(running.Result(), Coordinator, BreaksOff);
        }

        await IsRefused(push.Run(), Coordinator, "There is no room for image sha256:.*: 134 MB are to come");
        disk.Free();
        (await push.Run()).Succeeded();

        await using var diskOfAlpha = await SmallDisk.Over(fleet.ImagesOf("alpha"), Large + Spare);
        var use = fleet.Crashcart("exec", "-i", "full", $"alpha/{box.Name}", "cat", "/dev/crashcart/name");
        await using (var running = use.Start())
        {
            using (await HalfWay("alpha", fleet.Coordinators[0].Pid))
                await diskOfAlpha.Fill();
            await IsRefused(running.Result(), "alpha", BreaksOff);
        }

        await IsRefused(use.Run(), "alpha", "There is no room for image sha256:.*: 134 MB are to come");
        diskOfAlpha.Free();
        Assert.Equal("full", await use.Output());
        await Remove("full");

        async Task IsRefused(Task<CommandResult> result, string member, string why)
        {
            (await result).Exited(125);
            Assert.Matches(why, (await result).Error);
            Assert.Empty(fleet.StoredImages(member));
        }
    }

    [Fact]
    public async Task A_push_and_a_fetch_that_were_killed_are_gone_on_with()
    {
        await using var image = await SmallImage.Make("killed", Large);
        await using var box = await Alpha.Docker.RunScratch();
        await using (var push = fleet.Crashcart("image", "push", image.Path, "killed").Start())
        {
            await IsHalfThere(Coordinator);
            await fleet.Coordinators[0].Kill();
            (await push.Result()).Refused(125, "the coordinator at");
        }

        await fleet.Restore();
        await Push(image, "killed");
        AssertWentOn(Coordinator, fleet.Coordinators[0]);

        await using (var exec = fleet.Crashcart("exec", "-i", "killed", $"alpha/{box.Name}", "true").Start())
        {
            await IsHalfThere("alpha");
            await Alpha.Daemon.Kill();
            (await exec.Result()).Exited(125);
        }

        await fleet.Restore();
        Assert.Equal("killed", await NameIn("killed", box));
        AssertWentOn("alpha", Alpha.Daemon);
        await Remove("killed");

        void AssertWentOn(string member, Daemon daemon)
        {
            Assert.EndsWith(".img", Assert.Single(fleet.StoredImages(member)), StringComparison.Ordinal);
            Assert.InRange(HostProcess.BytesWritten(daemon.Pid), 1, Large << 20);
        }
    }

    [Fact]
    public async Task Who_stops_waiting_for_an_image_stops_its_fetch_and_leaves_nothing()
    {
        await using var image = await SmallImage.Make("left");
        await using var box = await Alpha.Docker.RunScratch();
        await Push(image, "left");
        var stored = Path.GetFileNameWithoutExtension(Assert.Single(fleet.StoredImages(Coordinator)));

        // Somebody else on the host makes the same image, as it seems, and comes to no end.
        Directory.CreateDirectory(fleet.ImagesOf("alpha"));
        await using (File.Open(Path.Combine(fleet.ImagesOf("alpha"), $".{stored}.lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            await using var terminal = await Terminal.Open(fleet.Crashcart("exec", "-i", "left", $"alpha/{box.Name}", "sh"));
            await terminal.Shows("alpha: fetching image left:latest, 0.00 of ");
            await terminal.Press("C-c");
            Assert.Equal(128 + LibC.SIGINT, await terminal.Exited());
            Assert.Contains("crashcart: Interrupted; the nodes end what still runs.", (await terminal.Screen()).Split('\n').Select(line => line.TrimEnd()));
            await Eventually.Holds(
                () => Alpha.Daemon.Log.Contains("nobody waits for it any more", StringComparison.Ordinal), () => $"the fetch stops\n{fleet.Logs()}");
            Assert.Empty(FleetHost.Json(await fleet.Crashcart("sessions", "--node", "alpha", "-o", "json").Run()));
            Assert.Empty(fleet.StoredImages("alpha"));
        }

        Assert.Equal("left", await NameIn("left", box));
        await Remove("left");
    }

    [Fact]
    public async Task Many_who_want_an_image_share_one_fetch_on_each_node_and_nodes_take_turns()
    {
        await using var image = await SmallImage.Make("turns", Large);
        await using var first = await Alpha.Docker.RunScratch("--label", "app=turns");
        await using var second = await Alpha.Docker.RunBusybox("--label", "app=turns");
        await using var third = await Beta.Docker.RunScratch("--label", "app=turns");
        await fleet.Sees(3, "app=turns");
        await Push(image, "turns");
        var given = Assert.Single(fleet.StoredImages(Coordinator));

        var use = fleet.Crashcart("fleet", "exec", "-l", "app=turns", "-i", "turns", "cat", "/dev/crashcart/name");
        var uses = Task.WhenAll(use.Run(), use.Run(), use.Run());
        var transfers = 0;
        await Eventually.Holds(
            () =>
            {
                transfers = Math.Max(transfers, HostProcess.FilesOpen(fleet.Coordinators[0].Pid).Count(file => file == given));
                return uses.IsCompleted;
            },
            () => $"all have the image\n{fleet.Logs()}");
        Assert.Equal(1, transfers);
        foreach (var used in await uses)
        {
            used.Succeeded();
            Assert.Equal(3, used.Lines.Count(line => line.EndsWith("turns", StringComparison.Ordinal)));
        }

        Assert.Equal((1, 1), (Fetches(Alpha), Fetches(Beta)));
        await Remove("turns");

        static int Fetches(FleetNode node) => node.Daemon.Log.Split("Fetching image turns:latest").Length - 1;
    }

    [Fact]
    public async Task A_file_that_is_no_whole_image_is_refused_by_its_name()
    {
        await using var image = await SmallImage.Make("cut");
        await using (var file = new FileStream(image.Path, FileMode.Open))
            file.SetLength(file.Length / 2);

        (await fleet.Crashcart("image", "push", image.Path, "cut").Run()).Refused(125, image.Path, "is cut off");
        Assert.Empty(fleet.StoredImages(Coordinator));
    }

    private async Task Push(SmallImage image, string name) => await fleet.Crashcart("image", "push", image.Path, name).Output();

    private Task<string> NameIn(string image, Container box) =>
        fleet.Crashcart("exec", "-i", image, $"alpha/{box.Name}", "cat", "/dev/crashcart/name").Output();

    /// <summary>Names of the images that the node has fetched.</summary>
    private async Task<string[]> Held(string node) =>
    [
        .. FleetHost.Json(await fleet.Crashcart("image", "ls", "-o", "json").Run())
            .Where(image => image.GetProperty("nodes").EnumerateArray().Any(holder => holder.GetString() == node))
            .SelectMany(image => image.GetProperty("tags").EnumerateArray().Select(tag => tag.GetProperty("name").GetString()!.Split(':')[0]))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>And waits until nobody has any.</summary>
    private async Task Remove(params string[] names)
    {
        string[] stored = [.. fleet.StoredImages("alpha"), .. fleet.StoredImages("beta")];
        foreach (var name in names)
            await fleet.Crashcart("image", "rm", name).Output();
        foreach (var member in (string[])["alpha", "beta", Coordinator])
            await Eventually.Holds(() => fleet.StoredImages(member).Length == 0, () => $"{member} has no image left\n{fleet.Logs()}");
        Assert.Empty(stored.SelectMany(HostState.LoopDevicesOf));
    }

    /// <summary>Waits until some of an image has arrived, and not all: on a thread of its own and without a pause, for that lasts a quarter of a second.</summary>
    private async Task IsHalfThere(string member)
    {
        var isSeen = await Task.Factory.StartNew(
            () => SpinWait.SpinUntil(IsThere, Eventually.DefaultPatience), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(isSeen, $"Half an image was never at {member}.\n{fleet.Logs()}");

        bool IsThere() => fleet.StoredImages(member).Any(
            path => path.EndsWith(".partial", StringComparison.Ordinal) && new FileInfo(path) is { Exists: true, Length: > 1 << 20 });
    }

    /// <summary>The same, and keeps the process from going on with it until the answer is disposed.</summary>
    private async Task<IDisposable> HalfWay(string member, int pid)
    {
        await IsHalfThere(member);
        return HostProcess.Pause(pid);
    }
}

/// <summary>A fleet whose nodes have little room for images, and whose coordinator gives to one of them at a time.</summary>
public sealed class ImageHost() : FleetHost(
    ["alpha", "beta"], coordinators: 1, coordinatorOptions: ["--image-transfers", "1"], nodeOptions: ["--image-cache", $"{CacheMegabytes}MiB"])
{
    public const int CacheMegabytes = 150;
}
