using System.Security.Cryptography;

namespace Crashcart.Cli.Output.Runs;

/// <summary>What one target wrote on one stream, kept until it may be shown: a little in memory, more in a file without a name.</summary>
internal sealed class Spool : IDisposable
{
    /// <summary>Bytes; times two, times the targets, it bounds the memory.</summary>
    private const int InMemory = 16 * 1024;

    private readonly MemoryStream _memory = new();
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private FileStream? _file;

    public long Length { get; private set; }

    /// <exception cref="IOException">The disk is full, and so on.</exception>
    public void Write(ReadOnlySpan<byte> data)
    {
        _hash.AppendData(data);
        if (_file is null && Length + data.Length > InMemory)
        {
            _file = CreateFile();
            RandomAccess.Write(_file.SafeFileHandle, _memory.GetBuffer().AsSpan(0, (int)_memory.Length), 0);
            _memory.SetLength(0);
        }

        if (_file is null)
            _memory.Write(data);
        else
            RandomAccess.Write(_file.SafeFileHandle, data, Length);
        Length += data.Length;
    }

    /// <summary>The same for the same bytes.</summary>
    public string Digest() => Convert.ToHexString(_hash.GetCurrentHash());

    public void CopyTo(Action<ReadOnlySpan<byte>> take)
    {
        if (_file is null)
        {
            take(_memory.GetBuffer().AsSpan(0, (int)_memory.Length));
            return;
        }

        var piece = new byte[64 * 1024];
        for (var at = 0L; at < Length;)
        {
            var count = RandomAccess.Read(_file.SafeFileHandle, piece, at);
            if (count == 0)
                throw new EndOfStreamException("A temporary file has become shorter while it was in use.");
            take(piece.AsSpan(0, count));
            at += count;
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _hash.Dispose();
        _memory.Dispose();
    }

    private static FileStream CreateFile()
    {
        var path = Path.Combine(Path.GetTempPath(), $"crashcart-{Guid.NewGuid():N}");
        // What tools write may be secret, and whoever opens it while it has a name keeps it.
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            BufferSize = 0,
        });
        // From here on it ends with the process, however that ends.
        File.Delete(path);
        return file;
    }
}
