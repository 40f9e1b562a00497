namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>An EROFS image with busybox and a few of its applets in bin/, and its own name in the file <c>name</c>.</summary>
internal sealed class SmallImage : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();

    private SmallImage()
    {
    }

    public string Path => _directory["crashcart.img"];

    /// <summary>The files that it was made of.</summary>
    public string Root => _directory["root"];

    /// <param name="name">What the file <c>name</c> says.</param>
    /// <param name="megabytes">Makes the file so large, by zeros after the file system.</param>
    public static async Task<SmallImage> Make(string name, int megabytes = 0)
    {
        var image = new SmallImage();
        var bin = Directory.CreateDirectory(image._directory["root/bin"]).FullName;
        File.Copy("/bin/busybox", System.IO.Path.Combine(bin, "busybox"));
        foreach (var applet in (string[])["cat", "echo", "sh", "sleep", "true"])
            File.CreateSymbolicLink(System.IO.Path.Combine(bin, applet), "busybox");
        await File.WriteAllTextAsync(image._directory["root/name"], $"{name}\n");
        await new Command("mkfs.erofs", image.Path, image._directory["root"]).Output();
        if (megabytes > 0)
        {
            await using var file = new FileStream(image.Path, FileMode.Open);
            file.SetLength((long)megabytes << 20);
        }

        return image;
    }

    public ValueTask DisposeAsync() => _directory.DisposeAsync();
}
