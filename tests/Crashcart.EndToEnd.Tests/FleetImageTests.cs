using System.Security.Cryptography;
using System.Text.Json;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Images of the fleet's: from one coordinator to every node, and away again.</summary>
public sealed class FleetImageTests(FleetHost fleet) : HostTest, IClassFixture<FleetHost>
{
    private FleetNode Alpha => fleet.Nodes[0];

    private FleetNode Beta => fleet.Nodes[1];

    [Fact]
    public async Task What_one_coordinator_took_every_coordinator_lists_and_every_node_uses()
    {
        await using var image = await SmallImage.Make("of-the-fleet");
        await using var first = await Alpha.Docker.RunScratch("--label", "app=images");
        await using var second = await Beta.Docker.RunBusybox("--label", "app=images");
        await fleet.Sees(2, "app=images");

        var pushed = await fleet.Crashcart(0, "image", "push", image.Path, "team/small:2.1").Output();
        Assert.Equal($"team/small:2.1 {await DigestOf(image.Path)}", pushed);
        Assert.Equal(pushed, await fleet.Crashcart(0, "image", "push", image.Path, "team/small:2.1").Output());
        var listed = await Listed("team/small:2.1");
        Assert.Equal(1, listed.GetProperty("coordinators").GetArrayLength());
        Assert.Equal(0, listed.GetProperty("nodes").GetArrayLength());

        var ran = await fleet.Crashcart(1, "fleet", "exec", "-l", "app=images", "-i", "team/small:2.1", "cat", "/dev/crashcart/name").Run();
        ran.Succeeded();
        Assert.Equal(
            [$"alpha/{first.Name} of-the-fleet", $"beta/{second.Name} of-the-fleet"],
            ran.Lines.Select(line => string.Join(' ', line.Split([' ', '|'], StringSplitOptions.RemoveEmptyEntries))).Order(StringComparer.Ordinal));
        Assert.Equal(["alpha", "beta"], (await Listed("team/small:2.1")).GetProperty("nodes").EnumerateArray().Select(node => node.GetString()));
        Assert.Equal(await DigestOf(image.Path), await DigestOf(Assert.Single(fleet.StoredImages("alpha"))));

        var removed = await fleet.Crashcart(1, "image", "rm", "team/small:2.1").Run();
        removed.Succeeded();
        Assert.Equal(["Untagged: team/small:2.1", $"Removed: {await DigestOf(image.Path)}"], removed.Lines);
        foreach (var member in (string[])["alpha", "beta", FleetHost.NameOf(0), FleetHost.NameOf(1)])
            await Eventually.Holds(() => fleet.StoredImages(member).Length == 0, () => $"{member} has no image left\n{fleet.Logs()}");
    }

    [Fact]
    public async Task What_is_removed_while_a_tool_uses_it_goes_with_the_tool()
    {
        await using var image = await SmallImage.Make("in-use");
        await using var box = await Alpha.Docker.RunScratch();
        await fleet.Crashcart("image", "push", image.Path, "in-use").Output();
        await using var tool = fleet.Crashcart("exec", "-i", "in-use", $"alpha/{box.Name}", "sh", "-c", "echo ready; cat /dev/stdin; cat /dev/crashcart/name").Start();
        await tool.Says("ready");

        var removed = await fleet.Crashcart(1, "image", "rm", "in-use").Run();
        removed.Succeeded();
        Assert.Contains("alpha still uses it", removed.Error, StringComparison.Ordinal);
        Assert.Empty(fleet.StoredImages(FleetHost.NameOf(0)));
        var kept = Assert.Single(fleet.StoredImages("alpha"));
        Assert.Single(HostState.LoopDevicesOf(kept));
        (await fleet.Crashcart("exec", "-i", "in-use", $"alpha/{box.Name}", "true").Run()).Refused(125, "no image in-use:latest in the fleet");

        tool.CloseInput();
        var result = await tool.Result();
        result.Succeeded();
        Assert.Equal("ready\nin-use\n", result.Output);
        await Eventually.Holds(() => fleet.StoredImages("alpha").Length == 0, () => $"the image is removed after its last use\n{fleet.Logs()}");
        await IsFree(kept);
    }

    [Fact]
    public async Task What_a_disk_has_spoilt_is_fetched_anew_or_refused_and_never_mounted()
    {
        await using var image = await SmallImage.Make("spoilt");
        await using var box = await Beta.Docker.RunScratch();
        await fleet.Crashcart("image", "push", image.Path, "spoilt:1").Output();
        var use = fleet.Crashcart(1, "exec", "-i", "spoilt:1", $"beta/{box.Name}", "cat", "/dev/crashcart/name");
        Assert.Equal("spoilt", await use.Output());
        var stored = Assert.Single(fleet.StoredImages("beta"));
        await IsFree(stored);

        await Spoil(stored);
        Assert.Equal("spoilt", await use.Output());
        Assert.Equal(await DigestOf(image.Path), await DigestOf(stored));
        await IsFree(stored);

        await Spoil(stored);
        await Spoil(Assert.Single(fleet.StoredImages(FleetHost.NameOf(0))));
        var spoilt = await use.Run();
        spoilt.Exited(125);
        Assert.Matches("The image spoilt:1 .* could not be fetched", spoilt.Error);
        Assert.Empty(HostState.LoopDevicesOf(stored));
        Assert.Empty(fleet.StoredImages("beta"));
        (await use.Run()).Refused(125, "The image spoilt:1 is sha256:", "push it again");

        await fleet.Crashcart(1, "image", "push", image.Path, "spoilt:1").Output();
        Assert.Equal("spoilt", await use.Output());
        await fleet.Crashcart("image", "rm", "spoilt:1").Output();
    }

    [Fact]
    public async Task What_is_not_there_is_refused_before_any_tool_starts()
    {
        await using var box = await Alpha.Docker.RunBusybox("--label", "app=unknown-image");
        await fleet.Sees(1, "app=unknown-image");
        (await fleet.Crashcart("fleet", "exec", "-l", "app=unknown-image", "-i", "nosuch:1", "true").Run())
            .Refused(125, "There is no image nosuch:1 in the fleet");
        (await fleet.Crashcart("exec", "-i", "sha256:0123", $"alpha/{box.Name}", "true").Run()).Refused(125, "No coordinator has an image sha256:0123");
        (await fleet.Crashcart("image", "rm", "nosuch:1").Run()).Refused(125, "There is no image nosuch:1 in the fleet");
        Assert.Empty(fleet.StoredImages("alpha"));
    }

    /// <summary>The one that has the name, as the coordinator lists it that was not pushed to.</summary>
    private async Task<JsonElement> Listed(string name) => Assert.Single(
        FleetHost.Json(await fleet.Crashcart(1, "image", "ls", "--output", "json").Run()),
        image => image.GetProperty("tags").EnumerateArray().Any(tag => tag.GetProperty("name").GetString() == name));

    private static Task IsFree(string image) => Eventually.Holds(() => !HostState.LoopDevicesOf(image).Any(), $"the loop device of {image} is free");

    private static async Task<string> DigestOf(string path) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path)));

    /// <summary>Turns the last byte over.</summary>
    private static async Task Spoil(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = file.Length - 1;
        var last = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)~last);
    }
}
