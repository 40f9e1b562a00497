using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests.Images;

/// <summary>How names and images go.</summary>
public sealed class RemovalTests : IAsyncLifetime
{
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync();

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task An_image_goes_with_its_last_name()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox:1", image);
        await TestPush.RunAsync(_coordinator, "toolbox:2", image);

        var first = await RemoveAsync("toolbox:1");
        Assert.Equal("toolbox:1", Assert.Single(first.Untagged));
        Assert.Equal("", first.Removed);
        Assert.Equal([Shelf.Whole(image)], Shelf.Of(_coordinator));

        var second = await RemoveAsync("toolbox:2");
        Assert.Equal(image.Digest, second.Removed);
        Assert.Empty(second.Unanswered);
        Assert.Empty(second.Uses);
        Assert.Empty(Shelf.Of(_coordinator));
        Assert.Empty((await _coordinator.Images.ListImagesAsync(new ListImagesRequest())).Images);
    }

    [Fact]
    public async Task An_image_goes_by_the_first_digits_of_its_digest()
    {
        var (image, other) = (TestImage.Make(), TestImage.Make());
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        await TestPush.RunAsync(_coordinator, "other", other);

        Assert.Equal(image.Digest, (await RemoveAsync(image.Digest[..40])).Removed);

        Assert.Equal([Shelf.Whole(other)], Shelf.Of(_coordinator));
    }

    [Fact]
    public async Task An_image_with_several_names_goes_by_its_digest_only_by_force()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox:1", image);
        await TestPush.RunAsync(_coordinator, "toolbox:2", image);

        var refused = await RefusedAsync(image.Digest);
        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
        Assert.Contains("toolbox:1, toolbox:2", refused.Detail, StringComparison.Ordinal);
        Assert.Equal([Shelf.Whole(image)], Shelf.Of(_coordinator));

        Assert.Equal(["toolbox:1", "toolbox:2"], (await RemoveAsync(image.Digest, force: true)).Untagged);
        Assert.Empty(Shelf.Of(_coordinator));
    }

    [Theory]
    [InlineData("toolbox:9", StatusCode.NotFound, "There is no image toolbox:9 in the fleet")]
    [InlineData("sha256:00", StatusCode.NotFound, "No coordinator has an image sha256:00")]
    [InlineData("Tool box", StatusCode.InvalidArgument, "'Tool box' names no image")]
    [InlineData("", StatusCode.InvalidArgument, "'' names no image")]
    public async Task What_is_not_there_is_not_removed(string reference, StatusCode status, string sentence)
    {
        var refused = await RefusedAsync(reference);

        Assert.Equal(status, refused.StatusCode);
        Assert.StartsWith(sentence, refused.Detail, StringComparison.Ordinal);
        Assert.EndsWith(".", refused.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_was_removed_may_be_given_again()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        await RemoveAsync("toolbox");

        Assert.Equal("", (await TestPush.RunAsync(_coordinator, "toolbox", image)).Replaced);

        Assert.Single(Assert.Single((await _coordinator.Images.ListImagesAsync(new ListImagesRequest())).Images).Tags);
    }

    [Fact]
    public async Task Any_coordinator_lists_and_removes_what_another_took()
    {
        var image = TestImage.Make();
        await TestPush.RunAsync(_coordinator, "toolbox", image);
        await using var second = await TestCoordinator.StartAsync(TestCoordinator.Settings(_coordinator.ClusterAddress));

        Assert.Equal(image.Digest, Assert.Single((await second.Images.ListImagesAsync(new ListImagesRequest())).Images).Digest);
        var removed = await second.Images.RemoveImageAsync(new RemoveImageRequest { Reference = "toolbox" });

        Assert.Equal(image.Digest, removed.Removed);
        Assert.Empty(removed.Unanswered);
        Assert.Empty(Shelf.Of(_coordinator));
    }

    private async Task<RemoveImageResponse> RemoveAsync(string reference, bool force = false) =>
        await _coordinator.Images.RemoveImageAsync(new RemoveImageRequest { Reference = reference, Force = force });

    private async Task<Status> RefusedAsync(string reference) => (await Assert.ThrowsAsync<RpcException>(() => RemoveAsync(reference))).Status;
}
