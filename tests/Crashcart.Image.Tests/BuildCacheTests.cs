namespace Crashcart.Image.Tests;

public sealed class BuildCacheTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-cache-");

    [Fact]
    public async Task A_second_build_waits_for_the_first_and_says_so()
    {
        using var log = new StringWriter();
        var first = await BuildCache.OpenAsync(_directory.FullName, new BuildLog(log), CancellationToken.None);
        var second = BuildCache.OpenAsync(_directory.FullName, new BuildLog(log), CancellationToken.None);

        Assert.False(second.IsCompleted);
        Assert.Equal($"Waiting for another build that uses {_directory.FullName}\n", log.ToString());
        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task A_waiting_build_can_be_cancelled()
    {
        using var first = await BuildCache.OpenAsync(_directory.FullName, BuildLog.Silent, CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        var second = BuildCache.OpenAsync(_directory.FullName, BuildLog.Silent, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_named()
    {
        var error = await Assert.ThrowsAsync<ImageBuildException>(
            () => BuildCache.OpenAsync("/proc/nowhere", BuildLog.Silent, CancellationToken.None));
        Assert.StartsWith("Cannot keep packages in /proc/nowhere: ", error.Message);
        Assert.EndsWith("Set XDG_CACHE_HOME to a directory of yours.", error.Message);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
