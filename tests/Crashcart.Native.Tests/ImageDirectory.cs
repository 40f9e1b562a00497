namespace Crashcart.Native.Tests;

/// <summary>A temporary directory with a small root file system to make images of. At the end none may be attached.</summary>
public sealed class ImageDirectory : IDisposable
{
    private int _count;

    public ImageDirectory()
    {
        Root = Directory.CreateTempSubdirectory("crashcart-native-").FullName;
        Tree = Path.Combine(Root, "tree");
        string bin = Directory.CreateDirectory(Path.Combine(Tree, "bin")).FullName;
        File.Copy("/bin/busybox", Path.Combine(bin, "busybox"));
        foreach (string name in new[] { "sh", "cat", "echo", "sleep", "true", "id", "env", "ls", "head", "setsid", "tty", "stty", "tr", "readlink" })
            File.CreateSymbolicLink(Path.Combine(bin, name), "busybox");
        File.WriteAllText(Path.Combine(bin, "not-executable"), "#!/bin/sh\n");
    }

    public string Root { get; }

    /// <summary>The tree that is in every image.</summary>
    public string Tree { get; }

    /// <summary>A new erofs image with a content of its own.</summary>
    public string MakeErofs()
    {
        int number = Interlocked.Increment(ref _count);
        string path = Path.Combine(Root, $"image-{number}.img");
        Shell.Run("mkfs.erofs", "--quiet", "-T0", $"-U00000000-0000-4000-8000-{number:x12}", path, Tree);
        return path;
    }

    /// <summary>A new ext4 image.</summary>
    public string MakeExt4(int blockSize)
    {
        string path = Path.Combine(Root, $"image-{Interlocked.Increment(ref _count)}.ext4");
        Shell.Run("mkfs.ext4", "-q", "-b", $"{blockSize}", "-d", Tree, path, "16M");
        return path;
    }

    /// <summary>Our loop devices that back files in here.</summary>
    public IReadOnlyList<LoopDeviceInfo> LoopDevices() =>
        [.. LoopDeviceInfo.List().Where(device => device.BackingFile.StartsWith(Root + "/", StringComparison.Ordinal))];

    public void Dispose()
    {
        Eventually.Holds(() => LoopDevices().Count == 0, $"loop devices of {Root} are free");
        Directory.Delete(Root, recursive: true);
    }
}
