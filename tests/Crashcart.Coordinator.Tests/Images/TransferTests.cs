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
