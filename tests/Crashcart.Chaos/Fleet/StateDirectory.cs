using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.Fleet;

/// <summary>
/// A node's state directory on a small file system of its own: ext4 on a loop device over a file, so that the disk can be
/// full, read-only, or answer EIO to what was not read before.
/// </summary>
internal sealed class StateDirectory(string directory)
{
    private const int Megabytes = 8;

    private readonly string _disk = $"{directory}.disk";

    private bool _isLost;

    public string Path => directory;

    public bool IsBroken { get; private set; }

    public async Task Make()
    {
        Directory.CreateDirectory(directory);
        await Format();
    }

    public async Task Break(string how)
    {
        IsBroken = true;
        switch (how)
        {
            case "full":
                await new Command("sh", "-c", "dd if=/dev/zero of=$0/filler bs=64k || true", directory).Output();
                break;
            case "read-only":
                // While a file is open for writing only an error makes it so, and for good.
                if ((await new Command("mount", "-o", "remount,ro", directory).Run()).ExitCode != 0)
                {
                    await new Command("mount", "-o", "remount,abort", directory).Output();
                    _isLost = true;
                }
                break;
            case "error":
                _isLost = true;
                // Behind the end of the backing file a loop device has nothing to read or write.
                await using (var disk = new FileStream(_disk, FileMode.Open, FileAccess.Write))
                    disk.SetLength(128 * 1024);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(how), how, "no way to break a disk");
        }
    }

    /// <summary>A disk that was full or read-only is so no more; one that answered EIO, or that an error made read-only, is replaced by an empty one.</summary>
    /// <returns>Whether the node must be started again to use it.</returns>
    public async Task<bool> Mend()
    {
        if (!IsBroken)
            return false;
        IsBroken = false;
        if (_isLost)
        {
            _isLost = false;
            await new Command("umount", "--lazy", directory).Output();
            await Format();
            return true;
        }
        await new Command("mount", "-o", "remount,rw", directory).Output();
        File.Delete(System.IO.Path.Combine(directory, "filler"));
        return false;
    }

    private async Task Format()
    {
        File.Delete(_disk);
        await using (var disk = new FileStream(_disk, FileMode.CreateNew, FileAccess.Write))
            disk.SetLength(Megabytes << 20);
        await new Command("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-O", "^has_journal", "-m", "0", _disk).Output();
        await new Command("mount", "-o", "loop,errors=remount-ro", _disk, directory).Output();
        Directory.Delete(System.IO.Path.Combine(directory, "lost+found"));
    }
}
