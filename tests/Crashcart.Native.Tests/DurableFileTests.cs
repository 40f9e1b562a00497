namespace Crashcart.Native.Tests;

public sealed class DurableFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-durable-");

    private string File => Path.Combine(_directory.FullName, "leases.json");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Contents_are_replaced_and_only_root_can_read_them()
    {
        DurableFile.Replace(File, "long contents"u8);
        DurableFile.Replace(File, "short"u8);

        Assert.Equal("short", System.IO.File.ReadAllText(File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Single(_directory.GetFiles());
    }

    [Fact]
    public void What_a_killed_process_left_is_cleared_away_and_nothing_else()
    {
        string gone = Shell.Run("sh", "-c", "echo $$").Trim();
        string[] kept = [$"leases.json.{Environment.ProcessId}.tmp", "leases.json", "notes.tmp", $"leases.{gone}.json"];
        foreach (string name in kept.Append($"leases.json.{gone}.tmp"))
            System.IO.File.WriteAllText(Path.Combine(_directory.FullName, name), "");

        DurableFile.ClearAway(_directory.FullName);

        Assert.Equal(kept.Order(StringComparer.Ordinal), _directory.GetFiles().Select(file => file.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_disk_that_is_full_leaves_the_old_contents()
    {
        Shell.Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", _directory.FullName);
        try
        {
            DurableFile.Replace(File, "old"u8);

            var e = Assert.Throws<SyscallException>(() => DurableFile.Replace(File, new byte[1 << 20]));

            Assert.Equal(("write", Tmds.Linux.LibC.ENOSPC), (e.Call, e.Errno));
            Assert.Equal("old", System.IO.File.ReadAllText(File));
            Assert.Single(_directory.GetFiles());
        }
        finally
        {
            Shell.Run("umount", _directory.FullName);
        }
    }

    [Fact]
    public void A_directory_that_is_missing_is_an_error_of_the_file()
    {
        var e = Assert.Throws<SyscallException>(() => DurableFile.Replace(Path.Combine(_directory.FullName, "none", "file"), ""u8));

        Assert.Equal(("open", Tmds.Linux.LibC.ENOENT), (e.Call, e.Errno));
    }
}
