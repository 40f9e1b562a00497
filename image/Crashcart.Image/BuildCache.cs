namespace Crashcart.Image;

/// <summary>
/// What builds keep between them: <c>$XDG_CACHE_HOME/crashcart/image</c> (or below <c>~/.cache</c>). Held by one build
/// at a time; a killed build's hold ends with it.
/// </summary>
internal sealed class BuildCache : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly FileLock _lock;

    private BuildCache(string directory, FileLock @lock) => (Directory, _lock) = (directory, @lock);

    public string Directory { get; }

    /// <exception cref="ImageBuildException">Neither variable that could say where is set.</exception>
    public static string DefaultDirectory => Path.Combine(Root(), "crashcart", "image");

    /// <summary>Waits until no other build holds the cache.</summary>
    /// <exception cref="ImageBuildException">The directory cannot be made or written.</exception>
    public static async Task<BuildCache> OpenAsync(string directory, BuildLog log, CancellationToken cancel)
    {
        try
        {
            System.IO.Directory.CreateDirectory(directory);
            for (var told = false; ; told = true)
            {
                if (FileLock.TryTake(Path.Combine(directory, "lock")) is { } held)
                    return new BuildCache(directory, held);
                if (!told)
                    log.Step($"Waiting for another build that uses {directory}");
                await Task.Delay(Poll, cancel);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(directory, e);
        }
    }

    /// <summary>Outlives the hold on the cache.</summary>
    public Scratch MakeScratch() => Scratch.Create(Path.Combine(Directory, "scratch"));

    public void Dispose() => _lock.Dispose();

    public static ImageBuildException NotWritable(string directory, Exception e)
        => new($"Cannot keep packages in {directory}: {e.Message} Set XDG_CACHE_HOME to a directory of yours.", e);

    private static string Root()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache)
            return cache;
        return Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home
            ? Path.Combine(home, ".cache")
            : throw new ImageBuildException("There is no place for packages and for what a build makes of them: set XDG_CACHE_HOME or HOME.");
    }
}
