namespace Crashcart.Node.Images;

/// <summary>Takes away what pushes and fetches left of which nobody will make an image.</summary>
public static class ImageSweep
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    /// <summary>Halves that nobody has touched for a week, and locks without an image.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public static void Old(ImageStore store) => Run(store, Halves(store).Where(half => half.LastWriteTimeUtc < DateTime.UtcNow - Kept));

    /// <summary>As <see cref="Old"/>, and then the oldest halves, until no more are left than that.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public static void Down(ImageStore store, int halves)
    {
        Old(store);
        Run(store, Halves(store).OrderByDescending(half => half.LastWriteTimeUtc).Skip(halves));
    }

    private static void Run(ImageStore store, IEnumerable<FileInfo> halves)
    {
        foreach (FileInfo half in halves.ToList())
            Remove(half.FullName, LockOf(half.FullName));
        // Those of images that are there are not touched: for that moment nobody could use these.
        foreach (FileInfo held in Files(store, ".sha256-*.lock").Where(held => IsAlone(held.FullName)))
            Remove(half: null, held.FullName);
    }

    private static void Remove(string? half, string held)
    {
        // Whoever makes the image holds the lock.
        if (ImageLock.TryTake(held) is not { } taken)
            return;
        using (taken)
        {
            if (half is not null)
                File.Delete(half);
            if (IsAlone(held))
                taken.RemoveFile();
        }
    }

    private static string LockOf(string half) =>
        Path.Combine(Path.GetDirectoryName(half)!, "." + Path.ChangeExtension(Path.GetFileName(half), ".lock"));

    private static bool IsAlone(string held)
    {
        string image = Path.Combine(Path.GetDirectoryName(held)!, Path.GetFileNameWithoutExtension(held)[1..]);
        return !File.Exists(image + ".img") && !File.Exists(image + ".partial");
    }

    private static FileInfo[] Halves(ImageStore store) => Files(store, "sha256-*.partial");

    private static FileInfo[] Files(ImageStore store, string pattern) =>
        Directory.Exists(store.Directory) ? new DirectoryInfo(store.Directory).GetFiles(pattern) : [];
}
