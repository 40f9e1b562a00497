using System.Globalization;
using System.Text;
using Crashcart.Actors.Images;
using Crashcart.Native;

namespace Crashcart.Node.Images;

/// <summary>
/// The names that a coordinator keeps: a text file of lines <c>NAME:TAG DIGEST TIME</c>, which changes as a whole; a hyphen for
/// the digest means that the name was removed.
/// </summary>
public sealed class NameFile(string path)
{
    private const string RemovedDigest = "-";
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Far more than a fleet has, and little to read.</summary>
    private const int MostNames = 5000;

    private static readonly TimeSpan RemovedFor = TimeSpan.FromDays(90);

    private static readonly TimeSpan LockInterval = TimeSpan.FromMilliseconds(20);

    /// <exception cref="IOException">It cannot be read.</exception>
    public NameBook Read()
    {
        var book = new NameBook();
        try
        {
            foreach (string line in File.ReadLines(path))
            {
                if (Parse(line) is { } record)
                    book.Add(record);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // No name was ever given.
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The names of images cannot be read: {e.Message}", e);
        }

        return book;
    }

    /// <summary>Adds a record unless a newer one is there. It is on the disk when this returns.</summary>
    /// <exception cref="IOException">It cannot be written, or there are too many names.</exception>
    public async Task AddAsync(NameRecord record, CancellationToken cancellation)
    {
        using ImageLock held = await TakeLockAsync(cancellation).ConfigureAwait(false);
        NameBook book = Read();
        if (!book.Add(record))
            return;
        book.ForgetRemoved(DateTimeOffset.UtcNow.Subtract(RemovedFor).ToUnixTimeMilliseconds());
        if (!book.TrimTo(MostNames))
            throw new IOException($"The coordinator has {MostNames} names of images, which is the most that it keeps: remove some with 'crashcart image rm'.");
        Write(book);
    }

    private void Write(NameBook book)
    {
        string temporary = path + ".new";
        try
        {
            using (var file = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = Mode,
            }))
            {
                File.SetUnixFileMode(file.SafeFileHandle, Mode);
                file.Write(Encoding.ASCII.GetBytes(string.Concat(book.All.Select(Format))));
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            KeptFile.SyncDirectory(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new IOException($"The names of images could not be written to {path}: {e.Message}", e);
        }
    }

    private async Task<ImageLock> TakeLockAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(LockInterval);
        while (true)
        {
            if (ImageLock.TryTake(Path.Combine(Path.GetDirectoryName(path)!, ".names.lock")) is { } held)
                return held;
            await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static string Format(NameRecord record) => string.Create(
        CultureInfo.InvariantCulture, $"{record.Name} {record.Digest?.ToString() ?? RemovedDigest} {DateTimeOffset.FromUnixTimeMilliseconds(record.UnixMs):yyyy-MM-ddTHH:mm:ss.fffZ}\n");

    private static NameRecord? Parse(string line)
    {
        ImageDigest digest = default;
        return line.Split(' ') is [var text, var hex, var time]
            && ImageName.TryParse(text, out ImageName name, out _)
            && (hex == RemovedDigest || ImageDigest.TryParse(hex, out digest))
            && DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment)
                ? new NameRecord(name, hex == RemovedDigest ? null : digest, moment.ToUnixTimeMilliseconds())
                : null;
    }
}
