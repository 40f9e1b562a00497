namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A disk of its own over a directory, which hides what is in that until it is disposed.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    private string Filler => Path.Combine(_path, "filler");

    public static async Task<SmallDisk> Over(string path, int megabytes)
    {
        Directory.CreateDirectory(path);
        await new Command("mount", "-t", "tmpfs", "-o", $"size={megabytes}M,mode=700", "tmpfs", path).Output();
        return new SmallDisk(path);
    }

    /// <summary>Takes every byte that is free.</summary>
    public async Task Fill()
    {
        var filled = await new Command("sh", "-c", "cat /dev/zero >\"$0\"", Filler).Run();
        Assert.Contains("No space left on device", filled.Error, StringComparison.Ordinal);
    }

    /// <summary>Gives them back.</summary>
    public void Free() => File.Delete(Filler);

    public async ValueTask DisposeAsync() =>
        // Whoever removed the last image in it may still have its lock open.
        await Eventually.Holds(async () => (await new Command("umount", _path).Run()).ExitCode == 0, $"{_path} can be unmounted");
}
