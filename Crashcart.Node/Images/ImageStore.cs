using System.Collections.Concurrent;
using System.Security.Cryptography;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Images;

/// <summary>
/// Images by their digests in a directory of their own. Several processes may use one directory: whoever makes or removes an
/// image holds its lock alone, whoever uses it shares the lock.
/// </summary>
/// <param name="stateDirectory">The images are in <c>images/</c> below it.</param>
public sealed class ImageStore(string stateDirectory, ILogger log)
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Left free of what an image may fill, for the host's other needs.</summary>
    private const long SpareBytes = 64 << 20;

    private const int ReleaseLooks = 10;

    private static readonly TimeSpan ReleaseInterval = TimeSpan.FromMilliseconds(20);

    // A file in one state is read through only once.
    private readonly ConcurrentDictionary<string, ImageDigest> _verified = new();

    public string Directory { get; } = Path.Combine(stateDirectory, "images");

    public NameFile Names { get; } = new(Path.Combine(stateDirectory, "images", "names"));

    public string PathOf(ImageDigest digest) => Path.Combine(Directory, $"sha256-{digest.Hex}.img");

    /// <summary>
    /// The image's file when it is there and its bytes have the digest. A damaged one is removed, and the answer is null.
    /// </summary>
    /// <exception cref="IOException">It cannot be read, or is damaged and cannot be removed.</exception>
    public async Task<ImageFile?> FindAsync(ImageDigest digest, CancellationToken cancellation)
    {
        string path = PathOf(digest);
        RequireOwn();
        RequirePlain(path);
        if (!File.Exists(path))
            return null;
        try
        {
            ImageIdentity identity = ImageIdentity.Read(path);
            if (!_verified.TryGetValue(identity.Key, out ImageDigest known))
            {
                known = await HashAsync(path, cancellation).ConfigureAwait(false);
                if (known == digest)
                    _verified[identity.Key] = digest;
            }

            if (known == digest)
                return new ImageFile(path, identity.Key, identity.Size, digest);
            StoreLog.Damaged(log, digest.ToString(), path, $"its bytes have the digest {known}");
        }
        catch (CrashcartException e) when (e.Reason == FailureReason.NoImage)
        {
            if (!File.Exists(path))
                return null;
            StoreLog.Damaged(log, digest.ToString(), path, e.Message);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or CrashcartException)
        {
            throw new IOException($"The image {digest.Abbreviated} cannot be read: {e.Message}", e);
        }

        return await RemoveAsync(digest).ConfigureAwait(false) ? null : throw new IOException($"The image {path} is damaged, and is in use by another process: end that, and it is fetched anew.");
    }

    /// <summary>What is there, of images that have only half arrived too.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public IReadOnlyList<StoredImage> List()
    {
        try
        {
            if (!System.IO.Directory.Exists(Directory))
                return [];
            HashSet<ImageDigest?> kept = [.. Names.Read().Living.Select(record => record.Digest)];
            return
            [
                .. new DirectoryInfo(Directory).EnumerateFiles("sha256-*")
                    .Select(file => (File: file, Digest: DigestOf(file.Name)))
                    .Where(entry => entry.Digest is not null)
                    .GroupBy(entry => entry.Digest!.Value, entry => entry.File)
                    .Select(files => new StoredImage(
                        files.Key,
                        files.Sum(Size),
                        files.Any(file => file.Extension == ".img"),
                        kept.Contains(files.Key),
                        files.Max(file => file.LastAccessTimeUtc))),
            ];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The images in {Directory} cannot be listed: {e.Message}", e);
        }
    }

    /// <summary>Removes the image and what is there of it; nothing there is no error.</summary>
    /// <returns>False when somebody uses, fetches or receives it, or the kernel has it mounted, whoever mounted it.</returns>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public async Task<bool> RemoveAsync(ImageDigest digest)
    {
        if (!System.IO.Directory.Exists(Directory))
            return true;
        try
        {
            using ImageLock? held = ImageLock.TryTake(LockOf(digest));
            if (held is null || !await IsLetGoAsync(PathOf(digest)).ConfigureAwait(false))
                return false;
            File.Delete(PathOf(digest));
            File.Delete(PartialOf(digest));
            KeptFile.SyncDirectory(Directory);
            held.RemoveFile();
            return true;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The image {PathOf(digest)} cannot be removed: {e.Message}", e);
        }
    }

    /// <summary>Keeps the image from being removed until the answer is disposed, and notes that it was used.</summary>
    /// <exception cref="IOException">It is not there, or is just being removed.</exception>
    public IDisposable Use(ImageDigest digest)
    {
        ImageLock held = ImageLock.TryShare(LockOf(digest))
            ?? throw new IOException($"The image {digest.Abbreviated} is being removed by another process: try again.");
        try
        {
            File.SetLastAccessTimeUtc(PathOf(digest), DateTime.UtcNow);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Makes the directory, for root alone whatever the umask is.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public void Prepare()
    {
        try
        {
            System.IO.Directory.CreateDirectory(Directory, DirectoryMode);
            RequireOwn();
            File.SetUnixFileMode(Directory, DirectoryMode);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The directory {Directory} cannot be made: {e.Message}", e);
        }
    }

    /// <exception cref="IOException">Somebody else made the directory, who may do with its files whatever he likes.</exception>
    private void RequireOwn()
    {
        if (System.IO.Directory.Exists(Directory) && !KeptFile.IsOwnDirectory(Directory))
            throw new IOException($"The directory {Directory} is another user's: remove it, or use another --state-dir.");
    }

    /// <summary>Links and whatever else nobody here made are taken away, not followed.</summary>
    internal void RequirePlain(string path)
    {
        if (new FileInfo(path) is { LinkTarget: not null } link)
        {
            StoreLog.Foreign(log, path);
            link.Delete();
        }
    }

    internal string PartialOf(ImageDigest digest) => Path.Combine(Directory, $"sha256-{digest.Hex}.partial");

    internal string LockOf(ImageDigest digest) => Path.Combine(Directory, $".sha256-{digest.Hex}.lock");

    /// <exception cref="IOException">The disk has not so much room.</exception>
    internal void RequireSpace(ImageDigest digest, long bytes)
    {
        long free = new DriveInfo(Directory).AvailableFreeSpace;
        if (free < bytes + SpareBytes)
            throw new IOException(
                $"There is no room for image {digest.Abbreviated}: {bytes / 1_000_000} MB are to come, and {Directory} has {free / 1_000_000} MB free "
                + $"of which {SpareBytes / 1_000_000} stay free: free some, or use another --state-dir.");
    }

    /// <summary>The writer has seen every byte of the file go to the disk.</summary>
    internal void Trust(ImageDigest digest) => _verified[ImageIdentity.Read(PathOf(digest)).Key] = digest;

    /// <summary>
    /// A mount that people hold outlives every process that had a lock. One that has just gone lets its device go a moment later.
    /// </summary>
    private static async Task<bool> IsLetGoAsync(string path)
    {
        using var timer = new PeriodicTimer(ReleaseInterval);
        for (int look = 1; LoopDeviceInfo.HasFile(path); look++)
        {
            if (look == ReleaseLooks)
                return false;
            await timer.WaitForNextTickAsync().ConfigureAwait(false);
        }

        return true;
    }

    private static async Task<ImageDigest> HashAsync(string path, CancellationToken cancellation)
    {
        await using var stream = new FileStream(
            path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        return ImageDigest.Of(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
    }

    private static ImageDigest? DigestOf(string file) =>
        (file.EndsWith(".img", StringComparison.Ordinal) || file.EndsWith(".partial", StringComparison.Ordinal))
        && ImageDigest.TryParse("sha256:" + Path.GetFileNameWithoutExtension(file)["sha256-".Length..], out ImageDigest digest)
            ? digest
            : null;

    private static long Size(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            // Removed meanwhile.
            return 0;
        }
    }
}

internal static partial class StoreLog
{
    [LoggerMessage(20, LogLevel.Error, "The stored image {Digest} is damaged and is removed: {Path}: {Why}")]
    public static partial void Damaged(ILogger log, string digest, string path, string why);

    [LoggerMessage(22, LogLevel.Error, "A link is where an image belongs, and is removed: {Path}")]
    public static partial void Foreign(ILogger log, string path);

    [LoggerMessage(23, LogLevel.Warning, "Could not look for old halves of images in {Directory}: {Why}")]
    public static partial void NotSwept(ILogger log, string directory, string why);

    [LoggerMessage(21, LogLevel.Warning, "Could not fetch image {Digest} from {Endpoint}: {Why}")]
    public static partial void SourceFailed(ILogger log, string digest, string endpoint, string why);
}
