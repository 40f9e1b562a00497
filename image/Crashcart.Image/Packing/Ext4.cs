using System.Globalization;
using System.Text;

namespace Crashcart.Image;

/// <summary>ext4 by mke2fs(8), for kernels that have no other: large, as it is not compressed.</summary>
internal sealed class Ext4 : FileSystem
{
    public const string Name = "ext4";

    private const int BlockSize = 4096;
    private const int InodeSize = 256;
    private const int BlocksInGroup = 32768;

    /// <summary>Inodes 1 to 10 are the file system's own, 11 is lost+found.</summary>
    private const int ReservedInodes = 11;

    private readonly HostProgram _make = HostProgram.Find("mke2fs", "e2fsprogs");
    private readonly HostProgram _edit = HostProgram.Find("debugfs", "e2fsprogs");

    private protected override void Make(string directory, Guid uuid, string image, string? compression, CancellationToken cancel)
    {
        if (compression is not null)
            throw new ImageBuildException($"ext4 has no compression, so it cannot be {compression}.");

        var environment = new Dictionary<string, string> { ["E2FSPROGS_FAKE_TIME"] = Epoch.ToString(CultureInfo.InvariantCulture) };
        var (blocks, inodes) = Measure(directory);
        _make.Run(
            [
                "-q", "-F", "-t", "ext4", "-b", $"{BlockSize}", "-I", $"{InodeSize}", "-N", $"{inodes}", "-m", "0", "-O", "^has_journal,^resize_inode",
                "-U", $"{uuid}", "-E", $"root_owner=0:0,hash_seed={uuid},lazy_itable_init=0,nodiscard", "-d", directory, image, $"{blocks}",
            ],
            environment, cancel);

        var script = directory + ".script";
        try
        {
            File.WriteAllText(script, Times(inodes));
            _edit.Run(["-w", "-f", script, image], environment, cancel);
        }
        finally
        {
            File.Delete(script);
        }
    }

    /// <summary>How large it must be: mke2fs does not measure.</summary>
    private static (long Blocks, long Inodes) Measure(string directory)
    {
        var (blocks, entries) = Contents(new DirectoryInfo(directory));
        var inodes = ReservedInodes + entries + 16;
        // Besides: inode tables, bitmaps and descriptors of the groups, lost+found, and blocks of extents of split files.
        blocks += (inodes * InodeSize / BlockSize) + (blocks / 200) + 128;
        return (blocks + (8 * (1 + (blocks / BlocksInGroup))), inodes);
    }

    private static (long Blocks, long Entries) Contents(DirectoryInfo directory)
    {
        // A name takes its length and at most 12 bytes.
        var (blocks, entries) = (1 + (directory.EnumerateFileSystemInfos().Sum(e => e.Name.Length + 12L) / BlockSize), 0L);
        foreach (var entry in directory.EnumerateFileSystemInfos().Where(e => e.LinkTarget is null))
        {
            if (entry is DirectoryInfo inner)
            {
                var (within, count) = Contents(inner);
                (blocks, entries) = (blocks + within, entries + count);
            }
            else if (entry is FileInfo file)
            {
                blocks += (file.Length + BlockSize - 1) / BlockSize;
            }
        }

        return (blocks, entries + directory.EnumerateFileSystemInfos().LongCount());
    }

    /// <summary>mke2fs keeps the times of the moment when files were made, which nobody can set: they are set here.</summary>
    private static string Times(long inodes)
    {
        var script = new StringBuilder("rmdir /lost+found\n");
        for (var inode = 1L; inode <= inodes; inode++)
        {
            foreach (var field in (string[])["atime", "ctime", "mtime", "crtime"])
            {
                script.Append(CultureInfo.InvariantCulture, $"set_inode_field <{inode}> {field} @{Epoch}\n");
                script.Append(CultureInfo.InvariantCulture, $"set_inode_field <{inode}> {field}_extra 0\n");
            }
        }

        return script.ToString();
    }
}
