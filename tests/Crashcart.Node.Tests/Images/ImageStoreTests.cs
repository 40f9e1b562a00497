using Crashcart.Actors.Images;
using Crashcart.Native;
using Crashcart.Node.Images;
using Crashcart.Node.Tests.Host;
using static Crashcart.Node.Tests.Images.StoreDirectory;

namespace Crashcart.Node.Tests.Images;

public sealed class ImageStoreTests : IDisposable
{
    private readonly StoreDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task An_image_is_kept_by_its_digest_for_root_alone()
    {
        var image = Image();
        var digest = await _directory.PutAsync(image);

        var path = _directory.Store.PathOf(digest);
        Assert.Equal(path, (await _directory.Store.FindAsync(digest, CancellationToken.None))!.Path);
        Assert.Equal(image, await File.ReadAllBytesAsync(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_directory.Store.Directory));
        var listed = Assert.Single(_directory.Store.List());
        Assert.Equal((digest, image.Length, true), (listed.Digest, listed.Size, listed.IsWhole));
    }

    [Fact]
    public async Task What_has_half_arrived_is_gone_on_with()
    {
        var image = Image();
        var digest = DigestOf(image);
        using (var first = await _directory.OpenAsync(digest, image.Length))
            await first!.AppendAsync(image.AsMemory(0, 40_000), CancellationToken.None);
        Assert.False(Assert.Single(_directory.Store.List()).IsWhole);
        Assert.Null(await _directory.Store.FindAsync(digest, CancellationToken.None));

        using var second = await _directory.OpenAsync(digest, image.Length);
        Assert.Equal(40_000, second!.Length);
        await second.AppendAsync(image.AsMemory(40_000), CancellationToken.None);
        second.Commit();

        Assert.NotNull(await _directory.Store.FindAsync(digest, CancellationToken.None));
        Assert.DoesNotContain(_directory.Files(), file => file.EndsWith(".partial", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wrong_bytes_are_refused_by_digest_and_leave_nothing()
    {
        var image = Image();
        var digest = DigestOf(image);
        image[50_000] ^= 1;
        using (var writer = await _directory.OpenAsync(digest, image.Length))
        {
            await writer!.AppendAsync(image, CancellationToken.None);
            Assert.Contains($"not {digest.Abbreviated}", Assert.Throws<InvalidDataException>(writer.Commit).Message, StringComparison.Ordinal);
        }

        Assert.Empty(_directory.Store.List());
    }

    [Theory]
    [InlineData(3000, "holds no erofs, ext4 or squashfs file system")]
    [InlineData(0, "is cut off")]
    public async Task What_is_no_whole_image_is_refused_though_its_digest_is_right(int length, string why)
    {
        var image = length > 0 ? new byte[length] : Image()[..50_000];
        using (var writer = await _directory.OpenAsync(DigestOf(image), image.Length))
        {
            await writer!.AppendAsync(image, CancellationToken.None);
            Assert.Contains(why, Assert.Throws<InvalidDataException>(writer.Commit).Message, StringComparison.Ordinal);
        }

        Assert.Empty(_directory.Store.List());
    }

    [Fact]
    public async Task What_the_disk_has_spoilt_is_found_by_another_process_and_removed()
    {
        var digest = await _directory.PutAsync(Image());
        var path = _directory.Store.PathOf(digest);
        var written = File.GetLastWriteTimeUtc(path);
        using (var file = File.OpenWrite(path))
        {
            file.Position = 50_000;
            file.WriteByte(0);
            file.WriteByte(1);
        }

        File.SetLastWriteTimeUtc(path, written);

        Assert.Null(await _directory.Open().FindAsync(digest, CancellationToken.None));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task An_image_that_lost_its_end_is_removed()
    {
        var digest = await _directory.PutAsync(Image());
        using (var file = File.OpenWrite(_directory.Store.PathOf(digest)))
            file.SetLength(10_000);

        Assert.Null(await _directory.Store.FindAsync(digest, CancellationToken.None));
        Assert.Empty(_directory.Store.List());
    }

    [Fact]
    public async Task An_image_that_another_process_uses_is_not_removed()
    {
        var digest = await _directory.PutAsync(Image());
        using (_directory.Open().Use(digest))
        using (_directory.Open().Use(digest))
            Assert.False(await _directory.Store.RemoveAsync(digest));

        Assert.True(await _directory.Store.RemoveAsync(digest));
        Assert.Empty(_directory.Files());
        Assert.True(await _directory.Store.RemoveAsync(digest));
    }

    [Fact]
    public async Task Who_uses_an_image_used_it_last()
    {
        var (first, second) = (await _directory.PutAsync(Image()), await _directory.PutAsync(Image()));
        File.SetLastAccessTimeUtc(_directory.Store.PathOf(first), DateTime.UnixEpoch.AddDays(1));
        File.SetLastAccessTimeUtc(_directory.Store.PathOf(second), DateTime.UnixEpoch.AddDays(2));
        var before = (await _directory.Store.FindAsync(first, CancellationToken.None))!.Key;

        _directory.Store.Use(first).Dispose();

        Assert.Equal([second, first], _directory.Store.List().OrderBy(image => image.LastUsed).Select(image => image.Digest));
        Assert.Equal(before, (await _directory.Store.FindAsync(first, CancellationToken.None))!.Key);
    }

    [Fact]
    public async Task Only_one_makes_an_image_and_the_others_find_it_made()
    {
        var image = Image();
        var waiting = new TaskCompletionSource();
        var first = await _directory.OpenAsync(DigestOf(image), image.Length);
        var second = _directory.OpenAsync(DigestOf(image), image.Length, () =>
        {
            waiting.TrySetResult();
            return ValueTask.CompletedTask;
        });
        await waiting.Task.WaitAsync(Eventually.Patience);

        await first!.AppendAsync(image, CancellationToken.None);
        first.Commit();
        first.Dispose();

        Assert.Null(await second.WaitAsync(Eventually.Patience));
    }

    [Fact]
    public async Task A_coordinator_s_named_images_are_its_own()
    {
        var digest = await _directory.PutAsync(Image());
        Assert.False(Assert.Single(_directory.Store.List()).IsKept);
        Assert.True(ImageName.TryParse("tools:1", out var name, out _));

        await _directory.Store.Names.AddAsync(new NameRecord(name, digest, 10), CancellationToken.None);
        Assert.True(Assert.Single(_directory.Open().List()).IsKept);

        await _directory.Store.Names.AddAsync(new NameRecord(name, null, 11), CancellationToken.None);
        Assert.False(Assert.Single(_directory.Open().List()).IsKept);
    }

    [Fact]
    public async Task Names_are_kept_and_an_older_record_changes_nothing()
    {
        _directory.Store.Prepare();
        Assert.True(ImageName.TryParse("team/tools:1", out var name, out _));
        var (newer, older) = (new NameRecord(name, DigestOf([1]), 1_700_000_000_123), new NameRecord(name, DigestOf([2]), 1_600_000_000_000));
        await _directory.Store.Names.AddAsync(newer, CancellationToken.None);
        await _directory.Store.Names.AddAsync(older, CancellationToken.None);

        Assert.Equal([newer], _directory.Open().Names.Read().All);
        var file = Path.Combine(_directory.Store.Directory, "names");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal($"team/tools:1 {DigestOf([1])} 2023-11-14T22:13:20.123Z\n", await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task Many_who_write_names_at_once_lose_none()
    {
        _directory.Store.Prepare();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(async () =>
        {
            Assert.True(ImageName.TryParse($"tools:{number}", out var name, out _));
            await _directory.Open().Names.AddAsync(new NameRecord(name, DigestOf([1]), 10), CancellationToken.None);
        })));

        Assert.Equal(20, _directory.Store.Names.Read().All.Count());
    }

    [Fact]
    public async Task A_disk_that_is_too_small_is_told_of_before_anything_is_written()
    {
        await using var disk = await SmallDisk.MountAsync("32M");
        var store = new ImageStore(disk.Path, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

        var error = await Assert.ThrowsAsync<IOException>(
            () => ImageWriter.OpenAsync(store, DigestOf([1]), 50 << 20, () => ValueTask.CompletedTask, CancellationToken.None));

        Assert.StartsWith($"There is no room for image {DigestOf([1]).Abbreviated}: 52 MB are to come", error.Message, StringComparison.Ordinal);
        Assert.Empty(store.List());
    }

    [Fact]
    public async Task A_disk_that_fills_up_meanwhile_is_told_of_and_gets_its_room_back()
    {
        await using var disk = await SmallDisk.MountAsync("100M");
        var store = new ImageStore(disk.Path, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        var image = Image(8 << 20);
        using (var writer = await ImageWriter.OpenAsync(store, DigestOf(image), image.Length, () => ValueTask.CompletedTask, CancellationToken.None))
        {
            await writer!.AppendAsync(image.AsMemory(0, 1 << 20), CancellationToken.None);
            await disk.FillAsync();

            var error = await Assert.ThrowsAsync<IOException>(() => writer.AppendAsync(image.AsMemory(1 << 20), CancellationToken.None));
            Assert.StartsWith($"The image {DigestOf(image).Abbreviated} could not be written to {store.Directory}: ", error.Message, StringComparison.Ordinal);
        }

        Assert.Empty(store.List());
    }

    [Fact]
    public async Task A_read_only_directory_is_told_of()
    {
        await using var disk = await SmallDisk.MountAsync("32M", "ro");

        var error = await Assert.ThrowsAsync<IOException>(() => ImageWriter.OpenAsync(
            new ImageStore(disk.Path, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance),
            DigestOf([1]),
            1,
            () => ValueTask.CompletedTask,
            CancellationToken.None));

        Assert.Contains("Read-only file system", error.Message, StringComparison.Ordinal);
        Assert.Contains(disk.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_to_something_else_is_not_followed()
    {
        var victim = Path.Combine(_directory.Root, "victim");
        var image = Image();
        await File.WriteAllBytesAsync(victim, image);
        _directory.Store.Prepare();
        File.CreateSymbolicLink(_directory.Store.PathOf(DigestOf(image)), victim);

        Assert.Null(await _directory.Store.FindAsync(DigestOf(image), CancellationToken.None));

        Assert.Empty(_directory.Files());
        Assert.Equal(image, await File.ReadAllBytesAsync(victim));
    }

    [Fact]
    public async Task A_directory_of_another_user_s_is_refused()
    {
        _directory.Store.Prepare();
        await Command.RunAsync("chown", "65534", _directory.Store.Directory);

        var error = Assert.Throws<IOException>(_directory.Store.Prepare);
        Assert.Contains($"The directory {_directory.Store.Directory} is another user's", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => _directory.Store.FindAsync(DigestOf([1]), CancellationToken.None));
    }

    [Fact]
    public async Task An_image_that_is_refused_leaves_not_even_its_lock()
    {
        var image = new byte[3000];
        using (var writer = await _directory.OpenAsync(DigestOf(image), image.Length))
        {
            await writer!.AppendAsync(image, CancellationToken.None);
            Assert.Throws<InvalidDataException>(writer.Commit);
        }

        Assert.Empty(_directory.Files());
    }

    [Fact]
    public async Task What_has_half_arrived_stays_when_its_next_attempt_is_cancelled_at_once()
    {
        var image = Image();
        using (var first = await _directory.OpenAsync(DigestOf(image), image.Length))
            await first!.AppendAsync(image.AsMemory(0, 40_000), CancellationToken.None);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ImageWriter.OpenAsync(
            _directory.Store, DigestOf(image), image.Length, () => ValueTask.CompletedTask, new CancellationToken(canceled: true)));

        Assert.Equal(40_000, Assert.Single(_directory.Store.List()).Size);
    }

    [Fact]
    public async Task Halves_that_nobody_goes_on_with_are_swept_and_what_somebody_makes_or_has_stays()
    {
        var whole = await _directory.PutAsync(Image());
        var (old, under, young) = (Image(), Image(), Image());
        foreach (var half in new[] { old, young })
        {
            using var writer = await _directory.OpenAsync(DigestOf(half), half.Length);
            await writer!.AppendAsync(half.AsMemory(0, 40_000), CancellationToken.None);
        }

        using var making = await _directory.OpenAsync(DigestOf(under), under.Length);
        await making!.AppendAsync(under.AsMemory(0, 40_000), CancellationToken.None);
        foreach (var half in new[] { old, under })
            File.SetLastWriteTimeUtc(Path.Combine(_directory.Store.Directory, $"sha256-{DigestOf(half).Hex}.partial"), DateTime.UtcNow.AddDays(-8));
        await File.WriteAllTextAsync(Path.Combine(_directory.Store.Directory, $".sha256-{DigestOf([1]).Hex}.lock"), "");

        ImageSweep.Old(_directory.Open());

        Assert.Equal(
            new[] { whole, DigestOf(under), DigestOf(young) }.Select(digest => digest.Hex).Order(StringComparer.Ordinal),
            _directory.Store.List().Select(image => image.Digest.Hex).Order(StringComparer.Ordinal));
        Assert.Equal(3, _directory.Files().Count(file => file.EndsWith(".lock", StringComparison.Ordinal)));

        ImageSweep.Down(_directory.Open(), halves: 0);

        Assert.Equal(2, _directory.Store.List().Count);
    }

    [Fact]
    public async Task An_image_that_the_kernel_has_mounted_is_not_removed_though_no_process_knows_of_it()
    {
        var source = Path.Combine(_directory.Root, "crashcart.img");
        Directory.CreateDirectory(Path.Combine(_directory.Root, "tree"));
        await Command.RunAsync("mkfs.erofs", source, Path.Combine(_directory.Root, "tree"));
        var digest = await _directory.PutAsync(await File.ReadAllBytesAsync(source));
        using (AttachedImage.Attach(_directory.Store.PathOf(digest)))
            Assert.False(await _directory.Store.RemoveAsync(digest));

        await Eventually.TrueAsync(() => _directory.Store.RemoveAsync(digest), "the image is removed");
        Assert.Empty(_directory.Store.List());
    }

    /// <summary>A tmpfs of its own.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private readonly DirectoryInfo _mountPoint = Directory.CreateTempSubdirectory("crashcart-disk-");

        public string Path => _mountPoint.FullName;

        public static async Task<SmallDisk> MountAsync(string size, string options = "rw")
        {
            var disk = new SmallDisk();
            await Command.RunAsync("mount", "-t", "tmpfs", "-o", $"size={size},{options}", "tmpfs", disk.Path);
            return disk;
        }

        public async Task FillAsync()
        {
            await using var file = File.Create(System.IO.Path.Combine(Path, "filler"));
            var block = new byte[1 << 20];
            try
            {
                while (true)
                    await RandomAccess.WriteAsync(file.SafeFileHandle, block, RandomAccess.GetLength(file.SafeFileHandle));
            }
            catch (IOException)
            {
                // Full.
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Command.RunAsync("umount", Path);
            _mountPoint.Delete();
        }
    }
}
