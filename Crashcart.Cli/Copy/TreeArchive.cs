using Crashcart.Cli.Output;
using Crashcart.Native;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Cli.Copy;

/// <summary>Writes a file or a tree of this host as an archive.</summary>
/// <param name="keepSetIds">Set-ID and sticky bits, too: the owners go with them.</param>
internal sealed class TreeArchive(FileTree home, ArchiveWriter writer, bool keepSetIds, CopyProgress progress)
{
    private const int Permissions = 0x1FF; // 0777

    private readonly byte[] _buffer = new byte[128 * 1024];
    private readonly Dictionary<(ulong, ulong), byte[]> _named = [];
    private readonly List<string> _remarks = [];

    /// <summary>What was not copied, or not as it was, one sentence each.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    /// <param name="path">In the tree.</param>
    /// <param name="name">In the archive.</param>
    /// <exception cref="SyscallException">It cannot be read.</exception>
    public async Task WriteAsync(byte[] path, byte[] name)
    {
        if (home.Find(path) is not { } found)
        {
            _remarks.Add($"'{BytePath.Text(path)}' was removed meanwhile");
            return;
        }

        progress.AddFile();
        var entry = new ArchiveEntry
        {
            Name = name,
            Kind = found.Kind switch
            {
                TreeEntryKind.Directory => ArchiveEntryKind.Directory,
                TreeEntryKind.Link => ArchiveEntryKind.Link,
                TreeEntryKind.File => ArchiveEntryKind.File,
                _ => ArchiveEntryKind.Special,
            },
            Mode = keepSetIds ? found.Mode : found.Mode & Permissions,
            Owner = found.Owner,
            Group = found.Group,
            Modified = found.Modified,
        };
        switch (found.Kind)
        {
            case TreeEntryKind.Special:
                _remarks.Add($"'{BytePath.Text(path)}' is a device, a FIFO or a socket, and was not copied");
                break;
            case TreeEntryKind.Link:
                await writer.BeginAsync(entry with { LinksTo = home.ReadLink(path) });
                break;
            case TreeEntryKind.Directory:
                await writer.BeginAsync(entry);
                foreach (var child in home.List(path))
                    await WriteAsync(BytePath.Join(path, child), BytePath.Join(name, child));
                break;
            case TreeEntryKind.File when found.Links > 1 && !_named.TryAdd(found.Identity, name):
                await writer.BeginAsync(entry with { Kind = ArchiveEntryKind.HardLink, LinksTo = _named[found.Identity] });
                break;
            default:
                using (var file = home.OpenFile(path))
                    await WriteFileAsync(file, entry with { Size = found.Size, Data = DataOf(file, found.Size) }, path);
                break;
        }
    }

    private async Task WriteFileAsync(SafeFileHandle file, ArchiveEntry entry, byte[] path)
    {
        await writer.BeginAsync(entry);
        foreach (var (start, length) in entry.Data)
        {
            for (var done = 0L; done < length;)
            {
                var piece = _buffer.AsMemory(0, (int)Math.Min(_buffer.Length, length - done));
                var count = await RandomAccess.ReadAsync(file, piece, start + done);
                if (count == 0)
                {
                    // The header has promised the bytes.
                    piece.Span.Clear();
                    count = piece.Length;
                    if (_remarks is [] || _remarks[^1] != Shrank(path))
                        _remarks.Add(Shrank(path));
                }

                await writer.WriteAsync(piece[..count]);
                progress.Add(count);
                done += count;
            }
        }

        await writer.EndFileAsync();
    }

    private static string Shrank(byte[] path) => $"'{BytePath.Text(path)}' became shorter while it was read, and ends with zeros";

    private static IReadOnlyList<Extent> DataOf(SafeFileHandle file, long size) =>
        [.. SparseFile.Data(file, size).Select(part => new Extent(part.Start, part.Length))];
}
