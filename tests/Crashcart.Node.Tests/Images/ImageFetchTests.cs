using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Images;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Node.Tests.Images;

/// <summary>Fetches over real gRPC, from coordinators that are played.</summary>
public sealed class ImageFetchTests : IDisposable
{
    private readonly StoreDirectory _directory = new();
    private readonly byte[] _image = StoreDirectory.Image();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task An_image_is_fetched_with_its_ticket_and_checked()
    {
        await using var source = await PlayedSource.OfAsync(_image);
        List<long> received = [];

        await FetchAsync(received.Add, source);

        await AssertStoredAsync();
        Assert.Equal("ticket", source.Requests.Single().Ticket.ToStringUtf8());
        Assert.Equal((0, _image.Length), (received[0], received[^1]));
    }

    [Fact]
    public async Task A_fetch_that_breaks_goes_on_at_the_next_source_where_it_ended()
    {
        await using var breaks = await PlayedSource.StartAsync(async (request, node, _) =>
        {
            await PlayedSource.SendAsync(node, _image.AsMemory(0..40_000));
            throw new RpcException(new Status(StatusCode.Unavailable, "It stops."));
        });
        await using var whole = await PlayedSource.OfAsync(_image);

        await FetchAsync(_ => { }, breaks, whole);

        await AssertStoredAsync();
        Assert.Equal(40_000, whole.Requests.Single().Offset);
    }

    [Fact]
    public async Task The_only_source_is_asked_again_as_long_as_it_gives_something()
    {
        var calls = 0;
        await using var flaky = await PlayedSource.StartAsync(async (request, node, _) =>
        {
            await PlayedSource.SendAsync(node, _image.AsMemory((int)request.Offset, Math.Min(30_000, _image.Length - (int)request.Offset)));
            if (++calls < 4)
                throw new RpcException(new Status(StatusCode.Unavailable, "It stops."));
        });

        await FetchAsync(_ => { }, flaky);

        await AssertStoredAsync();
        Assert.Equal([0, 30_000, 60_000, 90_000], flaky.Requests.Select(request => request.Offset));
    }

    [Fact]
    public async Task A_source_with_other_bytes_is_named_and_the_next_is_asked_for_all()
    {
        var wrong = (byte[])_image.Clone();
        wrong[50_000] ^= 1;
        await using var corrupt = await PlayedSource.OfAsync(wrong);
        await using var right = await PlayedSource.OfAsync(_image);

        await FetchAsync(_ => { }, corrupt, right);

        await AssertStoredAsync();
        Assert.Single(corrupt.Requests);
        Assert.Equal(0, right.Requests.Single().Offset);
    }

    [Fact]
    public async Task Bytes_of_a_wrong_source_that_broke_off_do_not_spoil_those_of_the_right_one()
    {
        var wrong = (byte[])_image.Clone();
        wrong[5000] ^= 1;
        await using var corrupt = await PlayedSource.OfAsync(wrong, end: 40_000);
        await using var right = await PlayedSource.OfAsync(_image);

        await FetchAsync(_ => { }, corrupt, right);

        await AssertStoredAsync();
        Assert.Equal([40_000, 0], right.Requests.Select(request => request.Offset));
    }

    [Fact]
    public async Task When_all_sources_are_wrong_each_is_named_and_nothing_is_left()
    {
        var wrong = (byte[])_image.Clone();
        wrong[50_000] ^= 1;
        await using var corrupt = await PlayedSource.OfAsync(wrong);
        await using var cutOff = await PlayedSource.OfAsync(_image, end: 0);

        var error = await Assert.ThrowsAsync<NodeException>(() => FetchAsync(_ => { }, corrupt, cutOff));

        Assert.StartsWith($"The image tools:1 ({StoreDirectory.DigestOf(_image).Abbreviated}) could not be fetched: ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"from {corrupt.Endpoint}: what came is damaged", error.Message, StringComparison.Ordinal);
        Assert.Contains($"from {cutOff.Endpoint}: it ended after 0 of 100000 bytes", error.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Store.List());
    }

    [Fact]
    public async Task A_source_that_ends_too_early_is_told_of_and_what_it_gave_stays()
    {
        await using var cutOff = await PlayedSource.OfAsync(_image, end: 70_000);

        var error = await Assert.ThrowsAsync<NodeException>(() => FetchAsync(_ => { }, cutOff));

        Assert.Contains("it ended after 70000 of 100000 bytes", error.Message, StringComparison.Ordinal);
        Assert.Equal(70_000, Assert.Single(_directory.Store.List()).Size);
    }

    [Fact]
    public async Task A_source_that_sends_too_much_is_told_of()
    {
        await using var tooMuch = await PlayedSource.StartAsync((_, node, lost) =>
            node.WriteAsync(new ImagePart { Data = ByteString.CopyFrom([.. _image, 1]) }, lost));

        var error = await Assert.ThrowsAsync<NodeException>(() => FetchAsync(_ => { }, tooMuch));

        Assert.Contains("it sent more than the 100000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_for_its_turn_is_no_silence()
    {
        await using var queue = await PlayedSource.StartAsync(async (_, node, lost) =>
        {
            for (var tick = 0; tick < 5; tick++)
                await node.WriteAsync(new ImagePart { Waits = new TransferWaits() }, lost);
            await PlayedSource.SendAsync(node, _image);
        });

        await FetchAsync(_ => { }, queue);

        await AssertStoredAsync();
    }

    [Fact]
    public async Task A_source_that_is_not_there_and_one_that_is_not_to_be_dialled_are_told_of()
    {
        var error = await Assert.ThrowsAsync<NodeException>(
            () => FetchAsync(_ => { }, new ImageSource { Endpoint = "http://127.0.0.1:1" }, new ImageSource { Endpoint = "http://10.0.0.1:1" }));

        Assert.Contains("from http://127.0.0.1:1: Connection refused", error.Message, StringComparison.Ordinal);
        Assert.Contains("not on this host's loopback", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fetch_that_is_cancelled_keeps_what_came()
    {
        using var cancel = new CancellationTokenSource();
        await using var source = await PlayedSource.StartAsync(async (request, node, lost) =>
        {
            await PlayedSource.SendAsync(node, _image.AsMemory(0..40_000));
            await new TaskCompletionSource().Task.WaitAsync(lost);
        });
        using var fetch = new ImageFetch(_directory.Store, identity: null, NullLogger.Instance);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch.RunAsync(
            StoreDirectory.DigestOf(_image),
            Wanted(new ImageSource { Endpoint = source.Endpoint }),
            received =>
            {
                if (received == 40_000)
                    cancel.Cancel();
            },
            cancel.Token));

        Assert.Equal(40_000, Assert.Single(_directory.Store.List()).Size);
    }

    private Task FetchAsync(Action<long> received, params PlayedSource[] sources) => FetchAsync(
        received, [.. sources.Select(source => new ImageSource { Endpoint = source.Endpoint, Ticket = ByteString.CopyFromUtf8("ticket") })]);

    private async Task FetchAsync(Action<long> received, params ImageSource[] sources)
    {
        using var fetch = new ImageFetch(_directory.Store, identity: null, NullLogger.Instance);
        await fetch.RunAsync(StoreDirectory.DigestOf(_image), Wanted(sources), received, CancellationToken.None);
    }

    private WantedImage Wanted(params ImageSource[] sources) => new()
    {
        Digest = StoreDirectory.DigestOf(_image).ToString(),
        Name = "tools:1",
        Size = _image.Length,
        Sources = { sources },
    };

    private async Task AssertStoredAsync()
    {
        var found = await _directory.Store.FindAsync(StoreDirectory.DigestOf(_image), CancellationToken.None);
        Assert.Equal(_image, await File.ReadAllBytesAsync(found!.Path));
    }
}
