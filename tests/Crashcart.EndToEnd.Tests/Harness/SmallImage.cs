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

    public static async Task<SmallImage> Make(string name)
    {
        var image = new SmallImage();
        var bin = Directory.CreateDirectory(image._directory["root/bin"]).FullName;
        File.Copy("/bin/busybox", System.IO.Path.Combine(bin, "busybox"));
        foreach (var applet in (string[])["cat", "echo", "sh", "sleep", "true"])
            File.CreateSymbolicLink(System.IO.Path.Combine(bin, applet), "busybox");
        await File.WriteAllTextAsync(image._directory["root/name"], $"{name}\n");
        await new Command("mkfs.erofs", image.Path, image._directory["root"]).Output();
        return image;
    }

    public ValueTask DisposeAsync() => _directory.DisposeAsync();
}
