using System.Formats.Tar;
using System.Text;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Copy;

/// <summary>What a hostile container may send in a copy's place: each time nothing is written elsewhere, and nothing gets the copy's name.</summary>
public sealed class HostileArchiveTests : IDisposable
{
    private readonly CopyDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("/etc/crashcart-was-here")]
    [InlineData("../out")]
    [InlineData("asked/../../out")]
    [InlineData("asked/..")]
    [InlineData("./asked/sub/../../../out")]
    [InlineData("other")]
    [InlineData("./.bashrc")]
    [InlineData(".")]
    [InlineData("askedx/out")]
    public Task Names_that_lead_elsewhere(string name) => RefusedAsync(
        "elsewhere", Directory("asked"), Directory("asked/sub"), File(name));

    [Fact]
    public Task Something_else_than_was_asked_for() => RefusedAsync("elsewhere", Directory("other"), File("other/file"));

    [Fact]
    public Task Only_a_part_of_what_was_asked_for() => RefusedAsync("does not begin", File("asked/file"));

    [Theory]
    [InlineData("..")]
    [InlineData("/")]
    [InlineData(".")]
    public Task A_file_through_a_link(string link) => RefusedAsync(
        "leads out", Directory("asked"), Link("asked/link", link), File("asked/link/out"));

    [Fact]
    public Task A_directory_through_a_link() => RefusedAsync(
        "leads out", Directory("asked"), Link("asked/link", ".."), Directory("asked/link/out"));

    [Fact]
    public Task A_file_in_a_links_place() => RefusedAsync(
        "File exists", Directory("asked"), Link("asked/link", "../out"), File("asked/link"));

    [Fact]
    public Task A_link_in_the_copys_own_place() => RefusedAsync("leads out", Link("asked", ".."), File("asked/out"));

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../outside")]
    [InlineData("asked/../../outside")]
    public Task A_hard_link_out(string to) => RefusedAsync(
        "elsewhere", Directory("asked"), new PaxTarEntry(TarEntryType.HardLink, "asked/hard") { LinkName = to });

    [Fact]
    public Task A_hard_link_through_a_link() => RefusedAsync(
        "leads out", Directory("asked"), Link("asked/link", "/etc"), new PaxTarEntry(TarEntryType.HardLink, "asked/hard") { LinkName = "asked/link/passwd" });

    [Fact]
    public Task The_same_name_twice() => RefusedAsync("File exists", Directory("asked"), File("asked/file"), File("asked/file"));

    [Fact]
    public async Task Devices_are_left_out_and_told()
    {
        var copy = await _directory.TakeAsync(Archive(
            Directory("asked"),
            new PaxTarEntry(TarEntryType.BlockDevice, "asked/disk") { DeviceMajor = 8, DeviceMinor = 0 },
            new PaxTarEntry(TarEntryType.Fifo, "asked/fifo"),
            File("asked/file")));
        Assert.Equal(["asked/disk", "asked/fifo"], copy.Omitted);
        Assert.Equal(["home/asked", "home/asked/file"], _directory.Names);
    }

    [Fact]
    public async Task Set_ID_bits_are_not_kept()
    {
        var entry = File("asked");
        entry.Mode = (UnixFileMode)0xFED; // 7755
        await _directory.TakeAsync(Archive(entry));
        Assert.Equal((UnixFileMode)0x1ED /* 0755 */, System.IO.File.GetUnixFileMode(_directory["asked"]));
    }

    [Theory]
    [InlineData(0x7FFF_FFFF_FFFF_FFFFL)]
    [InlineData(-1L)]
    [InlineData(1L << 40)]
    public Task A_size_that_does_not_come(long size) =>
        RefusedAsync(size < 0 ? "negative" : "before it was whole", Altered(File("asked"), header => SetBase256(header.AsSpan(124, 12), size), of: TarEntryType.RegularFile));

    [Fact]
    public Task An_extended_header_of_gigabytes() =>
        RefusedAsync("too long", Altered(File("asked"), header => SetBase256(header.AsSpan(124, 12), 2L << 30), of: TarEntryType.ExtendedAttributes));

    [Fact]
    public Task A_type_that_there_is_not() =>
        RefusedAsync("type 83", Altered(File("asked"), header => header[156] = (byte)'S', of: TarEntryType.RegularFile));

    [Fact]
    public Task A_wrong_checksum()
    {
        var archive = Archive(File("asked"));
        archive[0] ^= 1;
        return RefusedAsync("checksum", archive);
    }

    [Theory]
    [InlineData("99999999\n", "too many parts")]
    [InlineData("2\n0\n10\n5\n10\n", "overlap")]
    [InlineData("1\n90\n20\n", "overlap")]
    [InlineData("1\n0\n99\n", "not all its data")]
    [InlineData("1\n-1\n5\n", "malformed")]
    [InlineData("1\n9999999999999999999999\n5\n", "malformed")]
    [InlineData("", "no end")]
    public Task A_sparse_file_with_an_impossible_map(string map, string why)
    {
        var content = Encoding.ASCII.GetBytes(map == "" ? new string('1', 15).PadRight(15) : map.PadRight(512, '\0') + "content");
        return RefusedAsync(why, new PaxTarEntry(TarEntryType.RegularFile, "asked", new Dictionary<string, string>
        {
            ["GNU.sparse.major"] = "1",
            ["GNU.sparse.minor"] = "0",
            ["GNU.sparse.name"] = "asked",
            ["GNU.sparse.realsize"] = "100",
        })
        {
            DataStream = new MemoryStream(content),
        });
    }

    [Fact]
    public Task A_name_in_the_records_alone() => RefusedAsync("elsewhere", Directory("asked"), new PaxTarEntry(
        TarEntryType.RegularFile, "asked/file", new Dictionary<string, string>
        {
            ["GNU.sparse.major"] = "1",
            ["GNU.sparse.minor"] = "0",
            ["GNU.sparse.name"] = "../out",
            ["GNU.sparse.realsize"] = "0",
        })
    {
        DataStream = new MemoryStream(Encoding.ASCII.GetBytes("0\n".PadRight(512, '\0'))),
    });

    [Fact]
    public async Task An_archive_that_is_cut_anywhere()
    {
        var archive = Archive(Directory("asked"), File("asked/one", "1"), File("asked/two", new string('2', 2000)));
        var end = archive.AsSpan().LastIndexOfAnyExcept((byte)0);
        for (var length = 0; length < end + 1024; length += 256)
            await RefusedAsync("before it was whole", archive[..length]);
    }

    private async Task RefusedAsync(string why, params TarEntry[] entries) => await RefusedAsync(why, Archive(entries));

    private async Task RefusedAsync(string why, byte[] archive)
    {
        var refused = await Assert.ThrowsAsync<CrashcartException>(() => _directory.TakeAsync(archive));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Names);
    }

    private static PaxTarEntry File(string name, string content = "content") => new(TarEntryType.RegularFile, name)
    {
        DataStream = new MemoryStream(Encoding.ASCII.GetBytes(content)),
    };

    private static PaxTarEntry Directory(string name) => new(TarEntryType.Directory, name);

    private static PaxTarEntry Link(string name, string to) => new(TarEntryType.SymbolicLink, name) { LinkName = to };

    private static byte[] Archive(params TarEntry[] entries)
    {
        using var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, leaveOpen: true))
        {
            foreach (var entry in entries)
                writer.WriteEntry(entry);
        }

        return archive.ToArray();
    }

    /// <summary>An archive with one header changed, and its checksum right again.</summary>
    private static byte[] Altered(TarEntry entry, Action<byte[]> change, TarEntryType of)
    {
        var archive = Archive(entry);
        for (var at = 0; at < archive.Length; at += 512)
        {
            if (archive[at + 156] != (byte)of)
                continue;
            var header = archive[at..(at + 512)];
            change(header);
            header.AsSpan(148, 8).Fill((byte)' ');
            Encoding.ASCII.GetBytes($"{Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0')}\0 ").CopyTo(header, 148);
            header.CopyTo(archive, at);
            return archive;
        }

        throw new InvalidOperationException($"There is no header of type {of}.");
    }

    private static void SetBase256(Span<byte> field, long number)
    {
        field.Fill(number < 0 ? (byte)0xFF : (byte)0);
        for (var i = 0; i < 8; i++)
            field[^(i + 1)] = (byte)(number >> (8 * i));
        field[0] |= 0x80;
    }
}
