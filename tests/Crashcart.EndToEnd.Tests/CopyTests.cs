using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary><c>crashcart cp</c> between this host and containers that have one static program and nothing else.</summary>
[Collection(OnLocalHost.Name)]
public sealed class CopyTests(LocalHost host) : HostTest
{
    [Fact]
    public async Task A_tree_goes_out_and_in_again_as_it_was()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        await CopiedTree.Make($"{box.Root}/data");
        (await Cp($"{box.PidText}:/data", directory.Path).Run()).Succeeded();
        await CopiedTree.Same($"{box.Root}/data", directory["data"]);
        (await Cp(directory["data"], $"{box.PidText}:/again").Run()).Succeeded();
        await CopiedTree.Same(directory["data"], $"{box.Root}/again");
        Assert.Empty(Leftovers($"{box.Root}/").Concat(Leftovers(directory.Path)));
    }

    [Fact]
    public async Task Goes_into_a_directory_that_is_there_and_else_gets_the_name()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        await File.WriteAllTextAsync(directory["file"], "contents");
        Directory.CreateDirectory($"{box.Root}/there");
        foreach (var to in (string[])["/there", "/named", "/there/named"])
            (await Cp(directory["file"], $"{box.PidText}:{to}").Run()).Succeeded();
        (await Cp(directory.Path + "/.", $"{box.PidText}:/there/contents").Run()).Succeeded();
        foreach (var path in (string[])["there/file", "named", "there/named", "there/contents/file"])
            Assert.Equal("contents", await File.ReadAllTextAsync($"{box.Root}/{path}"));

        (await Cp($"{box.PidText}:/there/.", directory["back"]).Run()).Succeeded();
        (await Cp($"{box.PidText}:/there", directory["back"]).Run()).Succeeded();
        Assert.Equal("contents", await File.ReadAllTextAsync(directory["back/there/contents/file"]));
    }

    [Fact]
    public async Task Joins_directories_and_replaces_files()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        Directory.CreateDirectory($"{box.Root}/data/sub");
        await File.WriteAllTextAsync($"{box.Root}/data/sub/old", "old");
        await File.WriteAllTextAsync($"{box.Root}/data/sub/both", "old");
        Directory.CreateDirectory(directory["data/sub"]);
        await File.WriteAllTextAsync(directory["data/sub/both"], "new");
        (await Cp(directory["data"], $"{box.PidText}:/").Run()).Succeeded();
        Assert.Equal("old", await File.ReadAllTextAsync($"{box.Root}/data/sub/old"));
        Assert.Equal("new", await File.ReadAllTextAsync($"{box.Root}/data/sub/both"));
    }

    [Fact]
    public async Task A_link_is_copied_as_it_is_or_followed()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        await File.WriteAllTextAsync($"{box.Root}/file", "contents");
        File.CreateSymbolicLink($"{box.Root}/link", "/file");
        (await Cp($"{box.PidText}:/link", directory["link"]).Run()).Succeeded();
        Assert.Equal("/file", new FileInfo(directory["link"]).LinkTarget);
        Directory.CreateDirectory(directory["followed"]);
        (await Cp("-L", $"{box.PidText}:/link", directory["followed"]).Run()).Succeeded();
        Assert.Equal("contents", await File.ReadAllTextAsync(directory["followed/link"]));
    }

    [Fact]
    public async Task Belongs_to_who_copies_or_with_archive_to_whom_it_did()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        await new Command("sh", "-c", "echo > $0/file; chown 1234:5678 $0/file; chmod 4755 $0/file", directory.Path).Output();
        (await Cp(directory["file"], $"{box.PidText}:/plain").Run()).Succeeded();
        (await Cp("-a", directory["file"], $"{box.PidText}:/archived").Run()).Succeeded();
        (await Cp($"{box.PidText}:/archived", directory["plain"]).Run()).Succeeded();
        (await Cp("-a", $"{box.PidText}:/archived", directory["archived"]).Run()).Succeeded();
        foreach (var place in (string[])[box.Root, directory.Path])
            Assert.Equal("0:0 755\n1234:5678 4755", await new Command("stat", "-c", "%u:%g %a", $"{place}/plain", $"{place}/archived").Output());
    }

    [Fact]
    public async Task A_dash_is_a_tar_archive()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        Directory.CreateDirectory($"{box.Root}/data");
        await File.WriteAllTextAsync($"{box.Root}/data/file", "contents");
        Directory.CreateDirectory($"{box.Root}/into");
        await new Command("bash", "-o", "pipefail", "-ec", "\"$0\" cp $1:/data - | tee $2 | \"$0\" cp - $1:/into; tar -tf $2", Artifacts.Cli, box.PidText, directory["tar"])
        {
            Environment = host.Crashcart().Environment,
        }.Output();
        Assert.Equal("contents", await File.ReadAllTextAsync($"{box.Root}/into/data/file"));
    }

    [Theory]
    [InlineData("BOX:/nowhere", "HERE", "/nowhere", "No such file")]
    [InlineData("BOX:/nowhere/file", "HERE", "/nowhere", "No such file")]
    [InlineData("BOX:/web", "HERE/nowhere/file", "nowhere", "No such file")]
    [InlineData("BOX:/web", "HERE/nowhere/", "there is no such directory")]
    [InlineData("BOX:/proc/1/maps", "HERE", "/proc/1/maps", "crashcart exec")]
    [InlineData("HERE/nowhere", "BOX:/", "nowhere", "no such file")]
    [InlineData("HERE", "BOX:/nowhere/deeper", "no directory '/nowhere'")]
    [InlineData("HERE/file", "BOX:/nowhere/", "no such directory")]
    [InlineData("HERE", "BOX:/web", "It is there and no directory")]
    [InlineData("HERE/file", "HERE/other", "CONTAINER:/PATH")]
    [InlineData("BOX:/a", "BOX:/b", "copy twice")]
    public async Task Says_what_cannot_be_copied(string from, string to, params string[] words)
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        await File.WriteAllTextAsync(directory["file"], "");
        string Place(string word) => word.Replace("BOX", box.PidText, StringComparison.Ordinal).Replace("HERE", directory.Path, StringComparison.Ordinal);
        (await Cp(Place(from), Place(to)).Run()).Refused(125, words);
        Assert.Equal([directory["file"]], Directory.GetFileSystemEntries(directory.Path));
        Assert.Empty(Leftovers($"{box.Root}/"));
    }

    [Fact]
    public async Task A_container_that_cannot_be_written_says_so()
    {
        await using var box = await host.Docker.RunScratch("--read-only");
        await using var directory = TemporaryDirectory.Create();
        await File.WriteAllTextAsync(directory["file"], "");
        (await Cp(directory["file"], $"{box.PidText}:/file").Run()).Refused(125, "/file", "Read-only file system");
    }

    [Fact]
    public async Task What_is_no_file_is_left_out_and_told()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        await new Command("sh", "-c", "mkdir $0/data; mkfifo $0/data/fifo; echo > $0/data/file", box.Root).Output();
        (await Cp($"{box.PidText}:/data", directory.Path).Run()).Refused(1, "data/fifo");
        Assert.Equal([directory["data/file"]], Directory.GetFileSystemEntries(directory["data"]));
    }

    [Theory]
    [InlineData(15, 143)]
    [InlineData(2, 130)]
    [InlineData(9, 137)]
    public async Task One_that_is_ended_leaves_nothing(int signal, int code)
    {
        await using var box = await host.Docker.RunScratch();
        Directory.CreateDirectory($"{box.Root}/into");
        await using var copy = Cp("-", $"{box.PidText}:/into").Start();
        await Eventually.Holds(() => Leftovers($"{box.Root}/into").Any(), "the copy has begun");
        copy.Signal(signal);
        (await copy.Result()).Exited(code);
        await Eventually.Holds(() => !Directory.EnumerateFileSystemEntries($"{box.Root}/into").Any(), "nothing is left of the copy");
    }

    [Fact]
    public async Task A_disk_that_is_full_leaves_nothing()
    {
        await using var box = await host.Docker.RunScratch();
        await using var directory = TemporaryDirectory.Create();
        await new Command("sh", "-c", "head -c 4194304 /dev/urandom > $0/big", box.Root).Output();
        await new Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory.Path).Output();
        try
        {
            (await Cp($"{box.PidText}:/big", directory.Path).Run()).Refused(125, "big", "No space left on device");
            Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
        }
        finally
        {
            await new Command("umount", directory.Path).Output();
        }
    }

    private Command Cp(params string[] words) => host.Crashcart(["cp", .. words]);

    private static IEnumerable<string> Leftovers(string directory) => Directory.EnumerateFileSystemEntries(directory, ".crashcart-cp*");
}
