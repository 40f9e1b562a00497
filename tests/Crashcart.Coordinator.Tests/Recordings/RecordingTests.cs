using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Crashcart.Coordinator.Recordings;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Coordinator.Tests.Recordings;

/// <summary>Recordings as files, and what becomes of them.</summary>
public sealed class RecordingTests : IDisposable
{
    private readonly string _directory = Path.Combine(Directory.CreateTempSubdirectory("crashcart-recordings-").FullName, "recordings");
    private readonly List<string> _deleted = [];

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_directory)!, recursive: true);

    [Fact]
    public async Task A_terminals_is_an_asciicast_of_version_2()
    {
        Recording recording = await Store().BeginAsync(Terminal("s1", hasInput: true));
        await recording.WriteAsync(RecordedStream.Output, "$ "u8.ToArray());
        await recording.WriteAsync(RecordedStream.Input, "ls\r"u8.ToArray());
        await recording.ResizeAsync(new WindowCells(120, 40));
        await recording.WriteAsync(RecordedStream.Output, "\e[1mbin\e[0m\r\n"u8.ToArray());
        await recording.EndAsync("exited with 0");

        JsonElement[] lines = Lines("s1.cast");
        JsonElement header = lines[0];
        Assert.Equal((2, 80, 24), (header.GetProperty("version").GetInt32(), header.GetProperty("width").GetInt32(), header.GetProperty("height").GetInt32()));
        Assert.Equal(1_764_000_000, header.GetProperty("timestamp").GetInt64());
        Assert.Equal(("bash -l", "alpha/web", "xterm"), (header.GetProperty("command").GetString(), header.GetProperty("title").GetString(), header.GetProperty("env").GetProperty("TERM").GetString()));
        Assert.Equal(
            [("o", "$ "), ("i", "ls\r"), ("r", "120x40"), ("o", "\e[1mbin\e[0m\r\n"), ("m", "exited with 0")],
            lines[1..].Select(line => (line[1].GetString(), line[2].GetString())));
        double[] times = [.. lines[1..].Select(line => line[0].GetDouble())];
        Assert.Equal(times.Order(), times);
    }

    [Fact]
    public async Task Input_is_left_out_unless_it_is_asked_for()
    {
        Recording recording = await Store().BeginAsync(Terminal("s1"));
        await recording.WriteAsync(RecordedStream.Input, "secret"u8.ToArray());
        await recording.EndAsync("");

        Assert.DoesNotContain("secret", await File.ReadAllTextAsync(PathOf("s1.cast")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_character_that_comes_in_parts_is_whole_and_what_is_none_is_replaced()
    {
        Recording recording = await Store().BeginAsync(Terminal("s1"));
        byte[] text = [.. Encoding.UTF8.GetBytes("é€😀"), 0xff, (byte)'x', 0xe2, 0x82];
        foreach (byte one in text)
            await recording.WriteAsync(RecordedStream.Output, new[] { one });
        await recording.EndAsync("");

        Assert.Equal("é€😀\uFFFDx\uFFFD", string.Concat(Lines("s1.cast")[1..^1].Select(line => line[2].GetString())));
    }

    [Fact]
    public async Task Without_a_terminal_bytes_are_kept_as_they_are_and_streams_apart()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(100_000);
        Recording recording = await Store().BeginAsync(Transcript("s1"));
        await recording.WriteAsync(RecordedStream.Output, bytes);
        await recording.WriteAsync(RecordedStream.Error, new byte[] { 0xff, 0 });
        RecordingEnd end = await recording.EndAsync("exited with 3");

        JsonElement[] lines = Lines("s1.transcript");
        Assert.Equal(bytes, lines.Skip(1).Where(line => line[1].GetString() == "stdout").SelectMany(line => line[2].GetBytesFromBase64()));
        Assert.Equal([0xff, 0], lines.Skip(1).Where(line => line[1].GetString() == "stderr").SelectMany(line => line[2].GetBytesFromBase64()));
        Assert.Equal((true, new FileInfo(PathOf("s1.transcript")).Length), (end.IsWhole, end.Bytes));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(PathOf("s1.transcript")))), end.Sha256);
    }

    [Fact]
    public async Task Only_root_can_read_one_and_it_is_there_from_the_first_byte_under_another_name()
    {
        RecordingStore store = Store();
        Recording recording = await store.BeginAsync(Terminal("s1"));

        Assert.Equal(["s1.cast.part"], Names());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf("s1.cast.part")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory));
        Assert.Equal(RecordingState.Recording, Assert.Single(store.List()).State);
        await recording.EndAsync("");
        await recording.EndAsync("again");

        Assert.Equal(["s1.cast"], Names());
        Assert.Equal(RecordingState.Finished, Assert.Single(store.List()).State);
        await Assert.ThrowsAsync<OperationCanceledException>(() => recording.WriteAsync(RecordedStream.Output, "late"u8.ToArray()));
    }

    [Fact]
    public async Task What_a_killed_coordinator_left_is_kept_and_unfinished()
    {
        Recording recording = await Store().BeginAsync(Terminal("s1"));
        await recording.WriteAsync(RecordedStream.Output, "so far"u8.ToArray());

        RecordingFacts found = Assert.Single(Store().List());

        Assert.Equal((RecordingState.Unfinished, "s1", "uid 0 (root)"), (found.State, found.Header.Id, found.Header.User));
        Assert.Equal(["s1.cast.unfinished"], Names());
        Assert.Contains("so far", await File.ReadAllTextAsync(PathOf("s1.cast.unfinished")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_could_not_be_begun_leaves_nothing()
    {
        RecordingStore store = Store(new RecordingLimits(Each: 10, All: 1 << 20));
        await Assert.ThrowsAsync<RecordingException>(() => store.BeginAsync(Terminal("s1")));
        // As a coordinator leaves it that is killed before the first line is there.
        await File.WriteAllTextAsync(PathOf("s2.cast.part"), "{");

        Assert.Empty(store.List());
        Assert.Empty(Store().List());
        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_start_finds_what_was_there_before()
    {
        Recording recording = await Store().BeginAsync(Terminal("s1", hasInput: true));
        await recording.EndAsync("");

        RecordingFacts found = Assert.Single(Store().List());

        Assert.Equal((RecordingState.Finished, "bash -l", new WindowCells(80, 24), true), (found.State, found.Header.Command, found.Header.Size, found.Header.HasInput));
        Assert.Equal(new FileInfo(PathOf("s1.cast")).Length, found.Size);
    }

    [Fact]
    public async Task One_that_grows_too_large_is_unfinished_with_what_fits()
    {
        RecordingStore store = Store(new RecordingLimits(2000, 1 << 20));
        Recording recording = await store.BeginAsync(Terminal("s1"));
        await recording.WriteAsync(RecordedStream.Output, "fits"u8.ToArray());

        var failure = await Assert.ThrowsAsync<RecordingException>(() => recording.WriteAsync(RecordedStream.Output, new byte[3000]));
        await Assert.ThrowsAsync<RecordingException>(() => recording.WriteAsync(RecordedStream.Output, "x"u8.ToArray()));
        RecordingEnd end = await recording.EndAsync("");

        Assert.Equal("a recording has at most 2000 bytes here (--recording-max)", failure.Message);
        Assert.False(end.IsWhole);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(PathOf("s1.cast.unfinished")))), end.Sha256);
        Assert.Equal("fits", Lines("s1.cast.unfinished")[^1][2].GetString());
    }

    [Fact]
    public async Task The_oldest_that_is_over_makes_room_and_one_that_goes_on_does_not()
    {
        RecordingStore store = Store(new RecordingLimits(1 << 20, 6000));
        Recording oldest = await store.BeginAsync(Terminal("s0"));
        foreach (string id in (string[])["s1", "s2", "s3"])
        {
            Recording recording = await store.BeginAsync(Terminal(id));
            await recording.WriteAsync(RecordedStream.Output, new byte[300]);
            await recording.EndAsync("");
        }

        Assert.Equal(["s1"], _deleted);
        Assert.Equal(["s0.cast.part", "s2.cast", "s3.cast"], Names());
        var failure = await Assert.ThrowsAsync<RecordingException>(() => oldest.WriteAsync(RecordedStream.Output, new byte[2000]));
        Assert.Equal("the recordings of sessions that go on have all the 6000 bytes that there are (--recordings-max)", failure.Message);
        Assert.Equal(["s1", "s2", "s3"], _deleted);
    }

    [Fact]
    public async Task Only_so_many_are_kept()
    {
        RecordingStore store = Store(new RecordingLimits(1 << 20, 1 << 20) { Count = 2 });
        foreach (string id in (string[])["s1", "s2", "s3"])
            await (await store.BeginAsync(Terminal(id))).EndAsync("");

        Assert.Equal(["s2.cast", "s3.cast"], Names());
    }

    [Fact]
    public async Task A_full_disk_fails_the_write_and_the_room_is_given_back()
    {
        long reserved = 0;
        var full = new FileStream("/dev/full", new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, BufferSize = 0 });
        bool? isWhole = null;
        var recording = new Recording(Terminal("s1"), full, TimeProvider.System, bytes => reserved += bytes, (_, whole) =>
        {
            isWhole = whole;
            return full.DisposeAsync().AsTask();
        });

        var failure = await Assert.ThrowsAsync<RecordingException>(recording.BeginAsync);
        await recording.EndAsync("");

        Assert.StartsWith("No space left on device", failure.Message, StringComparison.Ordinal);
        Assert.Equal((0L, false), (reserved, isWhole));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_told()
    {
        await File.WriteAllTextAsync(_directory, "");

        await Assert.ThrowsAsync<RecordingException>(() => Store().BeginAsync(Terminal("s1")));
    }

    private static RecordingHeader Terminal(string id, bool hasInput = false) => new(
        id, "uid 0 (root)", DateTimeOffset.FromUnixTimeSeconds(1_764_000_000), "alpha", "web", "0123", "bash -l", new WindowCells(80, 24))
    { Term = "xterm", HasInput = hasInput };

    private static RecordingHeader Transcript(string id) => Terminal(id) with { Size = null };

    private RecordingStore Store(RecordingLimits? limits = null)
    {
        var store = new RecordingStore(_directory, limits ?? new RecordingLimits(1 << 20, 1 << 20), TimeProvider.System, NullLogger.Instance);
        store.Deleted += gone => _deleted.Add(gone.Header.Id);
        return store;
    }

    private string PathOf(string name) => Path.Combine(_directory, name);

    private IEnumerable<string?> Names() => Directory.EnumerateFiles(_directory).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private JsonElement[] Lines(string name) =>
        [.. File.ReadLines(PathOf(name)).Select(line => JsonDocument.Parse(line).RootElement)];
}
