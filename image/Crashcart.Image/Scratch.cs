namespace Crashcart.Image;

/// <summary>
/// A directory for one build alone, gone with it; that of a killed build goes when the next one begins. Beside each lies a
/// file that its build holds for as long as it lives.
/// </summary>
internal sealed class Scratch : IDisposable
{
    private const string LockSuffix = ".lock";

    private readonly string _lockPath;
    private readonly FileLock _lock;

    private Scratch(string path, string lockPath, FileLock @lock) => (Path, _lockPath, _lock) = (path, lockPath, @lock);

    public string Path { get; }

    /// <param name="place">The user's own directory of these; no other build makes or removes one there meanwhile.</param>
    public static Scratch Create(string place)
    {
        Directory.CreateDirectory(place);
        Sweep(place);
        var path = System.IO.Path.Combine(place, Guid.NewGuid().ToString("N"));
        var held = FileLock.TryTake(path + LockSuffix, FileMode.CreateNew) ?? throw new IOException($"{path}{LockSuffix} is held.");
        Directory.CreateDirectory(path);
        return new Scratch(path, path + LockSuffix, held);
    }

    public void Dispose()
    {
        Directory.Delete(Path, recursive: true);
        File.Delete(_lockPath);
        _lock.Dispose();
    }

    private static void Sweep(string place)
    {
        foreach (var file in Directory.EnumerateFiles(place, "*" + LockSuffix))
        {
            using var dead = FileLock.TryTake(file);
            if (dead is null)
                continue;
            var path = file[..^LockSuffix.Length];
            if (Directory.Exists(path))
                Directory.Delete(path, recursive: true);
            File.Delete(file);
        }
    }
}
