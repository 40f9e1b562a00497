using System.Text.RegularExpressions;
using Crashcart.Actors;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Node.Kernel;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Node.Tests;

/// <summary>The leases that people hold, as they are kept on the disk.</summary>
public sealed class LeaseFileTests : IDisposable
{
    private static readonly MountLease Lease = new(
        new LeaseId("lease-1"),
        new FoundMount(new ContainerId("c1"), 7, 99, 1234, "/dev/loop3", "crashcart:1:2", "/img é", new MountPath("/dev/crashcart-data"), MadeBySessions: false),
        "web",
        "anna",
        1_700_000_000_000,
        "sha256:12");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-leases-");

    private string StateDirectory => Path.Combine(_directory.FullName, "state");

    private string FilePath => Path.Combine(StateDirectory, "leases.json");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Leases_are_read_as_they_were_written()
    {
        await Open().WriteAsync([Lease], default);

        Assert.Equal([Lease], await Open().ReadAsync(default));
        Assert.Single(Directory.GetFiles(StateDirectory));
    }

    [Fact]
    public async Task A_file_from_before_there_were_several_places_means_the_usual_one()
    {
        await Open().WriteAsync([Lease], default);
        File.WriteAllText(FilePath, Regex.Replace(File.ReadAllText(FilePath), ",\\s*\"path\": \"[^\"]*\"", ""));

        Assert.Equal([Lease with { Mount = Lease.Mount with { At = default } }], await Open().ReadAsync(default));
    }

    [Fact]
    public async Task A_node_clears_away_what_one_that_was_killed_left_half_written()
    {
        await Open().WriteAsync([Lease], default);
        using (var killed = System.Diagnostics.Process.Start("sleep", "1000"))
        {
            File.WriteAllText($"{FilePath}.{killed.Id}.tmp", "half");
            Assert.Equal([Lease], await Open().ReadAsync(default));
            Assert.Equal(2, Directory.GetFiles(StateDirectory).Length);
            killed.Kill();
            await killed.WaitForExitAsync();
        }

        Assert.Equal([Lease], await Open().ReadAsync(default));
        Assert.Single(Directory.GetFiles(StateDirectory));
    }

    [Fact]
    public async Task A_node_that_never_held_a_lease_leaves_no_file()
    {
        Assert.Empty(await Open().ReadAsync(default));
        await Open().WriteAsync([], default);

        Assert.False(Directory.Exists(StateDirectory));
    }

    [Fact]
    public async Task The_last_lease_that_ends_leaves_none()
    {
        await Open().WriteAsync([Lease], default);
        await Open().WriteAsync([], default);

        Assert.Empty(await Open().ReadAsync(default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{ "version": "1" }""")]
    [InlineData("""{ "version": 2, "boot": "", "leases": [] }""")]
    [InlineData("""{ "version": 1, "boot": "" }""")]
    [InlineData("""{ "version": 1, "boot": "", "leases": null }""")]
    [InlineData("""{ "version": 1, "boot": "", "leases": [{}] }""")]
    [InlineData("""{ "version": 1, "boot": "", "leases": [], "extra": 1 }""")]
    [InlineData("\0\0\0\0")]
    public async Task What_cannot_be_understood_is_put_aside_and_never_fatal(string contents)
    {
        Directory.CreateDirectory(StateDirectory);
        File.WriteAllText(FilePath, contents);

        Assert.Empty(await Open().ReadAsync(default));

        var aside = Assert.Single(Directory.GetFiles(StateDirectory));
        Assert.StartsWith(FilePath + ".bad-", aside, StringComparison.Ordinal);
        Assert.Equal(contents, File.ReadAllText(aside));
        await Open().WriteAsync([Lease], default);
        Assert.Equal([Lease], await Open().ReadAsync(default));
    }

    [Fact]
    public async Task A_file_that_is_torn_at_any_byte_is_put_aside_and_never_fatal()
    {
        await Open().WriteAsync([Lease], default);
        var whole = File.ReadAllBytes(FilePath);

        // The last byte is a brace: without it the file is not whole.
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            Assert.Empty(await Open().ReadAsync(default));
            Assert.False(File.Exists(FilePath));
        }
    }

    [Fact]
    public async Task The_leases_of_another_boot_are_over()
    {
        await Open().WriteAsync([Lease], default);
        File.WriteAllText(FilePath, File.ReadAllText(FilePath).Replace(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), "another"));

        Assert.Empty(await Open().ReadAsync(default));
        Assert.True(File.Exists(FilePath));
    }

    [Fact]
    public async Task A_state_directory_that_is_a_file_is_told_in_a_sentence()
    {
        File.WriteAllText(StateDirectory, "");

        var e = await Assert.ThrowsAsync<NodeException>(() => Open().WriteAsync([Lease], default));

        Assert.Contains(StateDirectory, e.Message, StringComparison.Ordinal);
    }

    private LeaseFile Open() => new(new KernelCalls(), StateDirectory, TimeProvider.System, NullLogger.Instance);
}
