using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Crashcart.Actors.Images;
using Crashcart.Native;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Node.Images;

/// <summary>
/// Owns the making of one stored image: bytes go to a partial file, which becomes the image when all are there and have the
/// digest. What arrived before a break stays and is gone on with.
/// </summary>
public sealed class ImageWriter : IDisposable
{
    private const UnixFileMode FileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int ReadSize = 1 << 20;

    /// <summary>Bytes that are written between two looks at the disk's room.</summary>
    private const int SpaceInterval = 8 << 20;

    private static readonly TimeSpan LockInterval = TimeSpan.FromMilliseconds(200);

    private readonly ImageStore _store;
    private readonly ImageDigest _digest;
    private readonly ImageLock _lock;
    private readonly SafeFileHandle _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _isMade;

    private ImageWriter(ImageStore store, ImageDigest digest, ImageLock held, SafeFileHandle file)
    {
        _store = store;
        _digest = digest;
        _lock = held;
        _file = file;
    }

    /// <summary>Bytes that are there.</summary>
    public long Length { get; private set; }

    /// <summary>Waits until nobody else on this host makes the same image.</summary>
    /// <param name="size">Bytes that it will have.</param>
    /// <param name="waiting">Is called now and then while it waits.</param>
    /// <returns>Null when the image is there, made by somebody else meanwhile.</returns>
    /// <exception cref="IOException">The directory or the disk does not take it.</exception>
    public static async Task<ImageWriter?> OpenAsync(
        ImageStore store, ImageDigest digest, long size, Func<ValueTask> waiting, CancellationToken cancellation)
    {
        store.Prepare();
        ImageLock? held = await TakeLockAsync(store, digest, waiting, cancellation).ConfigureAwait(false);
        if (held is null)
            return null;
        ImageWriter? writer = null;
        try
        {
            store.RequirePlain(store.PartialOf(digest));
            SafeFileHandle file = File.OpenHandle(
                store.PartialOf(digest), System.IO.FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);
            writer = new ImageWriter(store, digest, held, file);
            File.SetUnixFileMode(file, FileMode);
            if (RandomAccess.GetLength(file) > size)
                RandomAccess.SetLength(file, 0);
            store.RequireSpace(digest, size - RandomAccess.GetLength(file));
            await writer.ReadExistingAsync(cancellation).ConfigureAwait(false);
            return writer;
        }
        catch (UnauthorizedAccessException e)
        {
            Release();
            throw new IOException($"The image {digest.Abbreviated} cannot be kept: {e.Message}", e);
        }
        catch
        {
            Release();
            throw;
        }

        void Release()
        {
            if (writer is not null)
                writer.Dispose();
            else
                held.Dispose();
        }
    }

    /// <exception cref="IOException">The disk is full or fails; what was there is given up.</exception>
    public async Task AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        try
        {
            // Others fill the same disk meanwhile.
            if (Length / SpaceInterval != (Length + data.Length) / SpaceInterval)
                _store.RequireSpace(_digest, 0);
            await RandomAccess.WriteAsync(_file, data, Length, cancellation).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw NotWritten(e);
        }

        _hash.AppendData(data.Span);
        Length += data.Length;
    }

    /// <summary>Makes the image of what is there.</summary>
    /// <exception cref="InvalidDataException">It has not the digest, or is no image; what was there is given up.</exception>
    /// <exception cref="IOException">The disk fails; what was there is given up.</exception>
    public void Commit()
    {
        var found = ImageDigest.Of(_hash.GetCurrentHash());
        if (found != _digest)
        {
            Discard();
            throw new InvalidDataException($"what came is damaged: its bytes have the digest {found.Abbreviated}, not {_digest.Abbreviated}");
        }

        string partial = _store.PartialOf(_digest);
        try
        {
            _ = ImageIdentity.Read(partial, _digest.Abbreviated);
            RandomAccess.FlushToDisk(_file);
            File.Move(partial, _store.PathOf(_digest), overwrite: true);
            _isMade = true;
            KeptFile.SyncDirectory(_store.Directory);
            _store.Trust(_digest);
        }
        catch (CrashcartException e)
        {
            Discard();
            throw new InvalidDataException(e.Message, e);
        }
        catch (IOException e)
        {
            throw NotWritten(e);
        }
    }

    /// <summary>Gives up what is there, and begins anew.</summary>
    public void Discard()
    {
        RandomAccess.SetLength(_file, 0);
        _hash.GetHashAndReset();
        Length = 0;
    }

    public void Dispose()
    {
        if (!_isMade && RandomAccess.GetLength(_file) == 0)
        {
            // Nothing is left of it, not even its lock.
            File.Delete(_store.PartialOf(_digest));
            _lock.RemoveFile();
        }

        _file.Dispose();
        _hash.Dispose();
        _lock.Dispose();
    }

    // A full disk is given back what can be given.
    private IOException NotWritten(IOException cause)
    {
        if (!_isMade)
            Discard();
        return new IOException($"The image {_digest.Abbreviated} could not be written to {_store.Directory}: {Reason(cause)}", cause);
    }

    /// <summary>Without the partial file's path, which is nobody's business who pushes.</summary>
    private static string Reason(IOException cause) =>
        cause.HResult is > 0 and < 200 ? Marshal.GetPInvokeErrorMessage(cause.HResult) : cause.Message;

    private static async Task<ImageLock?> TakeLockAsync(
        ImageStore store, ImageDigest digest, Func<ValueTask> waiting, CancellationToken cancellation)
    {
        // flock(2) cannot be awaited.
        using var timer = new PeriodicTimer(LockInterval);
        while (true)
        {
            ImageLock? held = ImageLock.TryTake(store.LockOf(digest));
            if (held is null && !File.Exists(store.PathOf(digest)))
            {
                await waiting().ConfigureAwait(false);
                await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false);
                continue;
            }

            if (!File.Exists(store.PathOf(digest)))
                return held;
            held?.Dispose();
            return null;
        }
    }

    private async Task ReadExistingAsync(CancellationToken cancellation)
    {
        var buffer = new byte[ReadSize];
        while (await RandomAccess.ReadAsync(_file, buffer, Length, cancellation).ConfigureAwait(false) is > 0 and var count)
        {
            _hash.AppendData(buffer, 0, count);
            Length += count;
        }
    }
}
