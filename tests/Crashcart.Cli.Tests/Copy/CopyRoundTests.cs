using System.Diagnostics;
using System.Formats.Tar;
using Crashcart.Cli.Copy;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Copy;

/// <summary>Trees through archives are what they were; and GNU tar and ours understand one another.</summary>
public sealed class CopyRoundTests : IDisposable
{
    private const string Tree = """
        mkdir -p "$1/tree/sub/empty"; cd "$1/tree"
        echo contents > file; chmod 640 file; ln file hard; ln -s ../anywhere/out link
        touch -d '2001-02-03 04:05:06.123456789' file; touch -h -d '1969-12-31 23:59:58.25' link
        truncate -s 4M sparse; echo middle | dd of=sparse bs=1M seek=2 conv=notrunc status=none
        truncate -s 1M sub/hole; : > sub/nothing; head -c 300000 /dev/urandom > sub/random
        printf name > "$(printf 'sub/latin-\351')"; : > "sub/$(printf 'n%.0s' $(seq 250))"
        chmod 555 sub; touch -d '2010-01-01 00:00:00.5' sub sub/empty
        """;

    private readonly CopyDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_tree_comes_back_as_it_was()
    {
        await MakeTreeAsync();
        await _directory.TakeAsync(await _directory.ArchiveAsync("tree"));
        await SameAsync("tree", "asked");
    }

    [Fact]
    public async Task GNU_tar_unpacks_what_we_write()
    {
        await MakeTreeAsync();
        await File.WriteAllBytesAsync(_directory["tree.tar"], await _directory.ArchiveAsync("tree", "copy"));
        await ShellAsync("tar -xpf tree.tar --delay-directory-restore");
        await SameAsync("tree", "copy");
    }

    [Fact]
    public async Task We_unpack_what_GNU_tar_writes()
    {
        await MakeTreeAsync();
        await ShellAsync("mv tree asked; tar -cf asked.tar --format=pax --sparse ./asked; mv asked tree");
        await _directory.TakeAsync(await File.ReadAllBytesAsync(_directory["asked.tar"]));
        await SameAsync("tree", "asked");
    }

    [Fact]
    public async Task Others_read_what_we_write()
    {
        await ShellAsync("mkdir tree; echo contents > tree/file; ln -s file tree/link");
        using var reader = new TarReader(new MemoryStream(await _directory.ArchiveAsync("tree")));
        var entries = new List<(TarEntryType, string, string)>();
        while (reader.GetNextEntry() is { } entry)
            entries.Add((entry.EntryType, entry.Name, entry.LinkName));
        Assert.Equal([(TarEntryType.Directory, "asked", ""), (TarEntryType.RegularFile, "asked/file", ""), (TarEntryType.SymbolicLink, "asked/link", "file")], entries);
    }

    [Fact]
    public async Task Into_a_directory_that_is_there_files_go_one_by_one()
    {
        await ShellAsync("mkdir -p new/sub asked/sub; echo new > new/sub/file; echo old | tee asked/sub/file > asked/sub/other; ln -s nowhere new/link");
        await _directory.TakeAsync(await _directory.ArchiveAsync("new"));
        await ShellAsync("test $(cat asked/sub/file) = new && test $(cat asked/sub/other) = old && test $(readlink asked/link) = nowhere");
        Assert.DoesNotContain(_directory.Names, name => name.Contains(".crashcart-cp.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("mkdir asked; echo file > new")]
    [InlineData("mkdir new; echo file > asked")]
    [InlineData("mkdir -p new/sub asked; ln -s nowhere asked/sub")]
    public async Task Files_and_directories_do_not_replace_one_another(string setting)
    {
        await ShellAsync(setting);
        var before = _directory.Names.ToList();
        var refused = await Assert.ThrowsAsync<CrashcartException>(async () => await _directory.TakeAsync(await _directory.ArchiveAsync("new")));
        Assert.Contains("is there, and is", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, _directory.Names);
    }

    [Theory]
    [InlineData("1.5", 1, 500_000_000)]
    [InlineData("-1.75", -2, 250_000_000)]
    [InlineData("-0.25", -1, 750_000_000)]
    [InlineData("7", 7, 0)]
    [InlineData("1234567890.123456789", 1234567890, 123456789)]
    public void Times_before_1970_too(string text, long seconds, uint nanoseconds)
    {
        var records = new ArchiveRecords();
        records.Add(ArchiveRecords.Modified, System.Text.Encoding.ASCII.GetBytes(text));
        Assert.Equal(new FileTime(seconds, nanoseconds), records.Time(ArchiveRecords.Modified));
        records.Add(ArchiveRecords.Modified, new FileTime(seconds, nanoseconds));
        Assert.Equal(new FileTime(seconds, nanoseconds), ArchiveRecords.Parse(records.ToBytes()).Time(ArchiveRecords.Modified));
    }

    [Fact]
    public void Records_count_their_own_length()
    {
        for (var length = 0; length < 1100; length++)
        {
            var records = new ArchiveRecords();
            records.Add("key", new byte[length]);
            Assert.Equal(length, ArchiveRecords.Parse(records.ToBytes())["key"]!.Length);
        }
    }

    private Task MakeTreeAsync() => ShellAsync($"set -- .; {Tree}");

    /// <summary>Names, kinds, modes, times, links, sizes, room on the disk, and contents.</summary>
    private Task SameAsync(string one, string other) => ShellAsync($"""
        show() (cd "$1"; find . -printf '%p %y %m %T@ %l %n %s\n' | sort; find . -type f -exec sha256sum {"{}"} + | sort)
        show {one} > one; show {other} > other; diff one other
        test "$(du -sk {one} | cut -f1)" -ge "$(( $(du -sk {other} | cut -f1) - 8 ))"
        """);

    private async Task ShellAsync(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/bash", ["-e", "-c", script])
        {
            WorkingDirectory = _directory.Home,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var said = await Task.WhenAll(shell.StandardOutput.ReadToEndAsync(), shell.StandardError.ReadToEndAsync());
        await shell.WaitForExitAsync();
        Assert.True(shell.ExitCode == 0, string.Concat(said));
    }
}
