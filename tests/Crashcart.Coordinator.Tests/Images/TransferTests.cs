using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Images;

/// <summary>How nodes get images: with the ticket that comes with a session, and not otherwise.</summary>
public sealed class TransferTests : IAsyncLifetime
{
    private PlayedNode _node = null!;
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync();
        var node = new PlayedNode("alpha", PlayedNode.Container("web-1"));
        _node = node;
        await node.JoinAsync(_coordinator.ClusterAddress);
        await _coordinator.NodesAsync(nodes => nodes is [{ State: "up", Problem: "" }]);
    }

    public async Task DisposeAsync()
    {
        await _node.DisposeAsync();
        await _coordinator.DisposeAsync();
    }

    [Fact]
    public async Task The_ticket_of_a_session_opens_its_image_from_any_byte_on()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox:2.1", image);

        var wanted = await WantedAsync("toolbox:2.1");

        Assert.Equal((image.Digest, "toolbox:2.1", image.Bytes.Length), (wanted.Digest, wanted.Name, wanted.Size));
        Assert.Equal(image.Bytes, await FetchAsync(wanted, 0));
        Assert.Equal(image.Bytes[100_000..], await FetchAsync(wanted, 100_000));
        Assert.Empty(await FetchAsync(wanted, image.Bytes.Length));
    }

    [Fact]
    public async Task No_image_is_given_for_another_ticket_or_for_none()
    {
        var (image, other) = (TestImage.Make(), TestImage.Make());
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        await TestPush.RunAsync(_coordinator, "other", other);
        var (wanted, foreign) = (await WantedAsync("toolbox"), await WantedAsync("other"));

        await RefusedAsync(ByteString.Empty);
        await RefusedAsync(ByteString.CopyFrom(new byte[32]));
        await RefusedAsync(foreign.Sources.Single().Ticket);
        Assert.Equal(image.Bytes, await FetchAsync(wanted, 0));

        async Task RefusedAsync(ByteString ticket)
        {
            var changed = wanted.Clone();
            changed.Sources.Single().Ticket = ticket;
            Assert.Equal(StatusCode.PermissionDenied, (await Assert.ThrowsAsync<RpcException>(() => FetchAsync(changed, 0))).StatusCode);
        }
    }

    [Fact]
    public async Task An_image_that_was_pushed_to_two_coordinators_under_one_name_is_to_be_had_from_both()
    {
        var image = TestImage.Make();
        await using var second = await TestCoordinator.StartAsync(TestCoordinator.Settings(_coordinator.ClusterAddress));
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        await TestPush.RunAsync(second, "toolbox", image);

        var wanted = await WantedAsync("toolbox");

        Assert.Equal(2, wanted.Sources.Count);
        foreach (var source in wanted.Sources)
            Assert.Equal(image.Bytes, await FetchAsync(wanted, source, 0));
    }

    [Fact]
    public async Task An_image_that_only_another_coordinator_has_and_under_another_name_is_found()
    {
        var image = TestImage.Make();
        await using var second = await TestCoordinator.StartAsync(TestCoordinator.Settings(_coordinator.ClusterAddress));
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        await TestPush.RunAsync(second, "other", image);
        File.Delete(Path.Combine(_coordinator.StateDirectory, "images", Shelf.Whole(image)));

        var wanted = await WantedAsync("toolbox");

        Assert.Equal("toolbox:latest", wanted.Name);
        Assert.Equal(image.Bytes, await FetchAsync(wanted, 0));
    }

    [Fact]
    public async Task An_image_that_the_disk_has_spoilt_is_not_given_away_and_not_kept()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        var wanted = await WantedAsync("toolbox");
        await using (var file = File.OpenWrite(Path.Combine(_coordinator.StateDirectory, "images", Shelf.Whole(image))))
        {
            file.Position = 200_000;
            file.WriteByte((byte)~image.Bytes[200_000]);
        }

        var refused = await Assert.ThrowsAsync<RpcException>(() => FetchAsync(wanted, 0));

        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
        Assert.Empty(Shelf.Of(_coordinator));
    }

    [Fact]
    public async Task Only_so_many_nodes_fetch_at_one_time_and_the_next_is_told_that_it_waits()
    {
        var image = TestImage.Make(length: 1 << 20);
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        var wanted = await WantedAsync("toolbox");
        var source = Assert.Single(wanted.Sources);
        using var channel = GrpcChannel.ForAddress(source.Endpoint);
        var request = new ImageRequest { Digest = wanted.Digest, Ticket = source.Ticket };
        // Nobody reads these to their ends.
        using var first = new ImageTransfers.ImageTransfersClient(channel).Fetch(request);
        using var second = new ImageTransfers.ImageTransfersClient(channel).Fetch(request);
        Assert.True(await first.ResponseStream.MoveNext() && await second.ResponseStream.MoveNext());

        using var third = new ImageTransfers.ImageTransfersClient(channel).Fetch(request);
        Assert.True(await third.ResponseStream.MoveNext());
        Assert.Equal(ImagePart.PartOneofCase.Waits, third.ResponseStream.Current.PartCase);
        first.Dispose();

        while (third.ResponseStream.Current.PartCase == ImagePart.PartOneofCase.Waits)
            Assert.True(await third.ResponseStream.MoveNext());
        Assert.NotEmpty(third.ResponseStream.Current.Data);
    }

    [Theory]
    [InlineData("toolbox:9", StatusCode.NotFound, "There is no image toolbox:9 in the fleet")]
    [InlineData("Tool box", StatusCode.InvalidArgument, "'Tool box' names no image")]
    public async Task A_run_with_an_image_that_is_not_there_starts_no_session(string image, StatusCode status, string sentence)
    {
        using var run = _coordinator.Run(With(image));

        var refused = await run.FailureAsync();

        Assert.Equal(status, refused.StatusCode);
        Assert.StartsWith(sentence, refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_without_an_image_gets_the_default_only_where_the_node_was_given_none()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        Assert.Null(await RunAsync(""));

        _node.LacksImage = true;
        var wanted = Assert.IsType<WantedImage>(await RunAsync(""));

        Assert.Equal((image.Digest, true), (wanted.Digest, wanted.OnlyWithoutOwn));
    }

    [Fact]
    public async Task A_mount_is_of_the_image_that_is_named_and_its_coming_is_told()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox:2.1", image);

        var events = await TestMount.EventsAsync(_coordinator, new MountRequest { Container = "alpha/web-1", Image = "toolbox:2.1" });

        Assert.Equal(
            new MountEvent { Waits = new Crashcart.Api.MountWaits { Node = "alpha", Image = "toolbox:2.1", Received = 1, Size = image.Bytes.Length } }, events[0]);
        Assert.Equal("", Assert.Single(events[1].Done.Mounts).Problem);
        var held = await _coordinator.Leases.ListLeasesAsync(new ListLeasesRequest());
        Assert.Equal(image.Digest, Assert.Single(held.Mounts).ImageDigest);
    }

    [Fact]
    public async Task A_mount_of_an_image_that_is_not_there_is_refused()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => TestMount.EventsAsync(_coordinator, new MountRequest { Container = "alpha/web-1", Image = "toolbox:9" }));

        Assert.Equal(StatusCode.NotFound, refused.StatusCode);
        Assert.Empty((await _coordinator.Leases.ListLeasesAsync(new ListLeasesRequest())).Mounts);
    }

    private static RunRequest With(string image)
    {
        var request = TestRun.In("alpha/web-1");
        request.Image = image;
        return request;
    }

    private async Task<WantedImage> WantedAsync(string image) => Assert.IsType<WantedImage>(await RunAsync(image));

    /// <summary>What a node is told of the image of a run.</summary>
    private async Task<WantedImage?> RunAsync(string image)
    {
        using var run = _coordinator.Run(With(image));
        await run.StartedAsync();
        using var tool = await _node.ToolAsync();
        await tool.ExitAsync(0);
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await run.SessionEndedAsync();
        await run.EndedAsync();
        return tool.Session.Start.Image;
    }

    private static Task<byte[]> FetchAsync(WantedImage image, long offset) => FetchAsync(image, Assert.Single(image.Sources), offset);

    private static async Task<byte[]> FetchAsync(WantedImage image, ImageSource source, long offset)
    {
        using var channel = GrpcChannel.ForAddress(source.Endpoint);
        var request = new ImageRequest { Digest = image.Digest, Ticket = source.Ticket, Offset = offset };
        using var call = new ImageTransfers.ImageTransfersClient(channel).Fetch(request);
        using var bytes = new MemoryStream();
        await foreach (var part in call.ResponseStream.ReadAllAsync())
            part.Data.WriteTo(bytes);
        return bytes.ToArray();
    }
}
