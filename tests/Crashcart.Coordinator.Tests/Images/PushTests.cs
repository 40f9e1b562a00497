using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests.Images;

/// <summary>How an image comes to a coordinator, and what it does not take.</summary>
public sealed class PushTests : IAsyncLifetime
{
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync();

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task An_image_is_kept_under_its_digest_and_listed_under_its_name()
    {
        var image = TestImage.Make();

        var done = await TestPush.RunAsync(_coordinator, "team/toolbox", image);

        Assert.Equal(("team/toolbox:latest", ""), (done.Name, done.Replaced));
        Assert.Empty(done.Unanswered);
        Assert.Equal([Shelf.Whole(image)], Shelf.Of(_coordinator));
        Assert.Equal(image.Bytes, await File.ReadAllBytesAsync(Path.Combine(_coordinator.StateDirectory, "images", Shelf.Whole(image))));
        var listed = await ListAsync();
        var entry = Assert.Single(listed.Images);
        Assert.Equal((image.Digest, image.Bytes.Length, "team/toolbox:latest"), (entry.Digest, entry.Size, Assert.Single(entry.Tags).Name));
        Assert.Single(entry.Coordinators);
        Assert.Empty(entry.Nodes);
        Assert.Empty(listed.Unanswered);
    }

    [Fact]
    public async Task A_push_that_broke_goes_on_from_where_it_ended()
    {
        const int Half = 100_000;
        var image = TestImage.Make();
        using (var broken = await TestPush.StartAsync(_coordinator, "toolbox", image))
        {
            Assert.Equal(0, await broken.OffsetAsync());
            await broken.SendAsync(image.Bytes.AsMemory(0, Half));
            await Shelf.ArrivesAsync(_coordinator, image, Half);
        }

        Assert.Empty((await ListAsync()).Images);
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", image);
        Assert.Equal(Half, await push.OffsetAsync());
        await push.SendAsync(image.Bytes.AsMemory(Half));
        await push.DoneAsync();
        Assert.Equal([Shelf.Whole(image)], Shelf.Of(_coordinator));
    }

    [Fact]
    public async Task A_push_that_ends_too_early_is_told_that_it_may_go_on()
    {
        var image = TestImage.Make();
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", image);
        await push.OffsetAsync();
        await push.SendAsync(image.Bytes.AsMemory(0, 5000));
        await push.CompleteAsync();

        var refused = await push.RefusedAsync();

        Assert.Equal(StatusCode.Aborted, refused.StatusCode);
        Assert.Contains("push it again", refused.Detail, StringComparison.Ordinal);
        using var again = await TestPush.StartAsync(_coordinator, "toolbox", image);
        Assert.Equal(5000, await again.OffsetAsync());
    }

    [Fact]
    public async Task What_is_there_already_is_not_sent_again_and_gets_the_second_name_too()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox:1", image);

        using var push = await TestPush.StartAsync(_coordinator, "toolbox:2", image);

        Assert.Equal(image.Bytes.Length, await push.OffsetAsync());
        Assert.Equal("toolbox:2", (await push.DoneAsync()).Name);
        var entry = Assert.Single((await ListAsync()).Images);
        Assert.Equal(["toolbox:1", "toolbox:2"], entry.Tags.Select(tag => tag.Name));
    }

    [Fact]
    public async Task A_name_moves_to_what_was_pushed_last()
    {
        var (old, young) = (TestImage.Make(), TestImage.Make());
        await TestPush.RunAsync(_coordinator, "toolbox", old);

        var done = await TestPush.RunAsync(_coordinator, "toolbox", young);

        Assert.Equal(old.Digest, done.Replaced);
        Assert.Equal(
            [(young.Digest, "toolbox:latest"), (old.Digest, "")],
            (await ListAsync()).Images.Select(entry => (entry.Digest, string.Join(',', entry.Tags.Select(tag => tag.Name)))));
    }

    [Fact]
    public async Task Bytes_that_have_not_the_digest_are_refused_and_not_kept()
    {
        var (promised, sent) = (TestImage.Make(), TestImage.Make());
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", promised);
        await push.OffsetAsync();
        await push.SendAsync(sent.Bytes);

        await RefusedAsync(push, promised.Digest[..19], sent.Digest[..19]);
    }

    [Fact]
    public async Task What_holds_no_file_system_is_refused_and_not_kept()
    {
        var text = new TestImage(new byte[8192]);
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", text);
        await push.OffsetAsync();
        await push.SendAsync(text.Bytes);

        await RefusedAsync(push, $"The image '{text.Digest[..19]}' holds no erofs, ext4 or squashfs file system");
    }

    [Fact]
    public async Task An_image_that_is_shorter_than_it_says_is_refused_and_not_kept()
    {
        var cut = TestImage.Make(length: 8192, claimed: 16384);
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", cut);
        await push.OffsetAsync();
        await push.SendAsync(cut.Bytes);

        await RefusedAsync(push, "is cut off", "16384", "8192");
    }

    [Fact]
    public async Task More_bytes_than_were_announced_are_refused()
    {
        var image = TestImage.Make(length: 8192);
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", image.Digest, 4096);
        await push.OffsetAsync();
        await push.SendAsync(image.Bytes);

        Assert.Contains("more bytes came than the 4096", (await push.RefusedAsync()).Detail, StringComparison.Ordinal);
        Assert.Empty((await ListAsync()).Images);
    }

    [Theory]
    [InlineData("Toolbox", "lower-case")]
    [InlineData("toolbox:-1", "the tag")]
    [InlineData("../names", "lower-case")]
    [InlineData("sha256:12", "digest begins")]
    [InlineData("", "lower-case")]
    public async Task A_name_that_is_none_is_refused_before_anything_is_sent(string name, string why)
    {
        using var push = await TestPush.StartAsync(_coordinator, name, TestImage.Make());

        await RefusedAsync(push, $"'{name}'", why);
    }

    [Theory]
    [InlineData("sha256:12")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../../../../x")]
    [InlineData("")]
    public async Task A_digest_that_is_none_is_refused(string digest)
    {
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", digest, 8192);

        await RefusedAsync(push, $"'{digest}' is no digest");
    }

    [Theory]
    [InlineData((1 << 20) + 1)]
    [InlineData(0)]
    [InlineData(-1)]
    public async Task A_size_that_is_not_allowed_is_refused_before_anything_is_sent(long size)
    {
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", TestImage.Make().Digest, size);

        await RefusedAsync(push, $"{size} bytes", "--image-max", "1048576");
    }

    [Fact]
    public async Task A_push_that_does_not_begin_with_what_it_is_is_refused()
    {
        using var call = _coordinator.Images.Push();
        await call.RequestStream.WriteAsync(new PushInput { Data = Google.Protobuf.ByteString.CopyFrom(1, 2, 3) });

        var refused = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task Empty_messages_do_not_keep_a_push_alive()
    {
        using var push = await TestPush.StartAsync(_coordinator, "toolbox", TestImage.Make());
        await push.OffsetAsync();
        await push.SendEmptyAsync();

        Assert.Equal(StatusCode.Aborted, (await push.RefusedAsync()).StatusCode);
        Assert.Empty(Shelf.Of(_coordinator));
        Assert.Empty(Shelf.Locks(_coordinator));
    }

    [Fact]
    public async Task What_a_thousand_broken_pushes_could_leave_is_bounded_and_the_youngest_stay()
    {
        const int Most = 16;
        TestImage[] images = [.. Enumerable.Range(0, Most + 5).Select(_ => TestImage.Make(length: 8192))];
        foreach (var image in images)
        {
            using var push = await TestPush.StartAsync(_coordinator, "toolbox", image);
            await push.OffsetAsync();
            await push.SendAsync(image.Bytes.AsMemory(0, 4096));
            await Shelf.ArrivesAsync(_coordinator, image, 4096);
        }

        // The last one came after the last look.
        Assert.InRange(Shelf.Of(_coordinator).Count(), Most, Most + 1);
        Assert.InRange(Shelf.Locks(_coordinator).Count(), Most, Most + 1);
        using var again = await TestPush.StartAsync(_coordinator, "toolbox", images[^1]);
        Assert.Equal(4096, await again.OffsetAsync());
    }

    [Fact]
    public async Task Only_so_many_images_come_at_one_time_and_the_next_waits_for_its_turn()
    {
        const int AtOneTime = 8;
        List<TestPush> under = [];
        foreach (var image in Enumerable.Range(0, AtOneTime).Select(_ => TestImage.Make(length: 8192)))
        {
            under.Add(await TestPush.StartAsync(_coordinator, "toolbox", image));
            await under[^1].OffsetAsync();
        }

        using var next = await TestPush.StartAsync(_coordinator, "next", TestImage.Make(length: 8192));
        await next.WaitsAsync();
        under[3].Dispose();

        Assert.Equal(0, await next.OffsetAsync());
        under.ForEach(push => push.Dispose());
    }

    [Fact]
    public async Task A_link_where_the_image_is_to_be_is_not_followed()
    {
        var image = TestImage.Make();
        var victim = Path.Combine(_coordinator.StateDirectory, "victim");
        await TestPush.RunAsync(_coordinator, "other", TestImage.Make());
        await File.WriteAllTextAsync(victim, "precious");
        var half = Path.Combine(_coordinator.StateDirectory, "images", Path.ChangeExtension(Shelf.Whole(image), ".partial"));
        File.CreateSymbolicLink(half, victim);
        File.CreateSymbolicLink(Path.ChangeExtension(half, ".img"), victim);

        await TestPush.RunAsync(_coordinator, "toolbox", image);

        Assert.Equal("precious", await File.ReadAllTextAsync(victim));
        Assert.Null(new FileInfo(Path.ChangeExtension(half, ".img")).LinkTarget);
    }

    private async Task RefusedAsync(TestPush push, params string[] words)
    {
        var refused = await push.RefusedAsync();
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.EndsWith(".", refused.Detail, StringComparison.Ordinal);
        foreach (var word in words)
            Assert.Contains(word, refused.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(_coordinator.StateDirectory, refused.Detail, StringComparison.Ordinal);
        Assert.Empty(Shelf.Of(_coordinator));
        Assert.Empty(Shelf.Locks(_coordinator));
        Assert.Empty((await ListAsync()).Images);
    }

    private async Task<ListImagesResponse> ListAsync() => await _coordinator.Images.ListImagesAsync(new ListImagesRequest());
}
