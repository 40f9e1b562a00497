namespace Crashcart.Image;

/// <summary>
/// A file that is written beside its place and takes it when it is complete. Its writer holds it: what a killed one left
/// beside the same place goes when the next begins.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private const string Suffix = ".partial";

    private readonly string _place;
    private readonly FileLock _lock;

    private PartialFile(string place, string path, FileLock @lock) => (_place, Path, _lock) = (place, path, @lock);

    public string Path { get; }

    public FileStream Content => _lock.Content;

    /// <param name="place">A full path.</param>
    public static PartialFile Create(string place)
    {
        Sweep(place);
        while (true)
        {
            var path = $"{place}.{Guid.NewGuid():N}{Suffix}";
            // A sweep may take it for a dead one's before it is held.
            if (FileLock.TryTake(path, FileMode.CreateNew) is { } held)
                return new PartialFile(place, path, held);
        }
    }

    /// <summary>Puts the file in its place, whatever was there before.</summary>
    public void Complete() => File.Move(Path, _place, overwrite: true);

    public void Dispose()
    {
        File.Delete(Path);
        _lock.Dispose();
    }

    private static void Sweep(string place)
    {
        var directory = System.IO.Path.GetDirectoryName(place)!;
        foreach (var file in Directory.EnumerateFiles(directory, $"{System.IO.Path.GetFileName(place)}.*{Suffix}"))
        {
            try
            {
                using var dead = FileLock.TryTake(file, FileMode.Open);
                if (dead is not null)
                    File.Delete(file);
            }
            catch (Exception e) when (e is FileNotFoundException or UnauthorizedAccessException)
            {
                // Another build's that has just ended, or another user's.
            }
        }
    }
}
