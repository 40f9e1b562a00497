using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Native.Tests;

[Collection(TheHost.Name)]
public sealed class MountSurveyTests
{
    private const int Many = 200;

    [Fact]
    public async Task A_mount_that_a_person_made_is_found_and_nobodys_to_release()
    {
        using var box = new Toolbox();
        SharedMount mount = await SharedMount.AttachAsync(box.Target, box.Image);

        FoundMount found = Assert.Single(FoundIn(box));

        Assert.Equal((mount.MountId, mount.LoopDevice, box.ImagePath), (found.MountId, found.LoopDevice, found.BackingFile));
        Assert.Null(found.MadeBySessions);
        Assert.Equal(ImageIdentity.Read(box.ImagePath).Key, found.ImageKey);
        Assert.False(await AbandonedMounts.ReleaseAsync(box.Target));
        Assert.Single(FoundIn(box));
        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.Empty(FoundIn(box));
    }

    [Fact]
    public async Task A_mount_of_a_session_is_released_when_the_session_was_killed_and_not_before()
    {
        using var box = new Toolbox();
        using (Process client = ClientProgram.Start(
            "run", $"{box.Container.Pid}", box.ImagePath, box.Script("").SessionName, "shared", "echo started; sleep 100000"))
        {
            Assert.Equal("started", client.StandardOutput.ReadLine());
            TimeSpan age = DateTimeOffset.UtcNow - Assert.Single(FoundIn(box)).MadeBySessions!.Value;
            Assert.InRange(age, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
            Assert.False(await AbandonedMounts.ReleaseAsync(box.Target));
            client.KillNow();
        }
        Eventually.Holds(() => box.Cgroups().Count == 0, "the killed session has ended");

        Assert.NotNull(Assert.Single(FoundIn(box)).MadeBySessions);
        Assert.True(await AbandonedMounts.ReleaseAsync(box.Target));

        Assert.Empty(FoundIn(box));
        Assert.DoesNotContain("crashcart", box.Container.DevEntries());
    }

    [Fact]
    public async Task A_private_mount_is_its_sessions_alone()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Script("echo started; cat"));
        Assert.Equal('s', tool.StandardOutput!.ReadByte());

        Assert.Empty(FoundIn(box));
    }

    [Fact]
    public async Task A_lock_is_removed_when_its_namespace_is_gone()
    {
        string path;
        using (var box = new Toolbox())
        {
            await LeaveMountAsync(box.Target, box.Image);
            path = LockOf(box.Container.Pid);
            Assert.True(File.Exists(path));
            AbandonedMounts.RemoveLocks();
            Assert.True(File.Exists(path));
        }

        IsRemoved(path);
    }

    [Fact]
    public async Task A_mount_points_lock_is_removed_unless_somebody_holds_it()
    {
        using var box = new Toolbox();
        SharedMountPoint point = SharedMountPoint.Of(box.Target);
        string path = $"/run/crashcart/point-{point.DeviceMajor}-{point.DeviceMinor}.lock";
        using (await SharedMountLock.TakePointAsync(box.Target, point, TimeSpan.FromSeconds(10), CancellationToken.None))
        {
            AbandonedMounts.RemoveLocks();
            Assert.True(File.Exists(path));
        }

        IsRemoved(path);
    }

    [Fact]
    public async Task Two_hundred_containers_are_surveyed_and_what_killed_sessions_left_is_released()
    {
        using var images = new ImageDirectory();
        string path = images.MakeErofs();
        using var spaces = new ManyNamespaces(Many);
        using (AttachedImage image = AttachedImage.Attach(path))
        {
            foreach ((int pid, int i) in spaces.Pids.Select((pid, i) => (pid, i)))
            {
                using TargetProcess target = TargetProcess.Open(pid);
                await (i % 10 == 0 ? LeaveMountAsync(target, image) : SharedMount.AttachAsync(target, image));
            }
        }

        MountSurvey survey = MountSurvey.Read();
        FoundMount[] left = [.. survey.Mounts.Where(mount => mount.BackingFile == path && mount.MadeBySessions is not null)];
        bool[] released = await Task.WhenAll(left.Select(ReleaseAsync));

        Assert.Equal(Many, survey.Mounts.Count(mount => mount.BackingFile == path));
        Assert.Equal(Many / 10, released.Count(released => released));
        Assert.InRange(survey.Namespaces, Many, int.MaxValue);
        Assert.Equal(Many - Many / 10, MountSurvey.Read().Mounts.Count(mount => mount.BackingFile == path));
    }

    /// <summary>A program that another test starts at this moment has the lock's descriptor until it is executed.</summary>
    private static void IsRemoved(string path) => Eventually.Holds(
        () =>
        {
            AbandonedMounts.RemoveLocks();
            return !File.Exists(path);
        },
        "the lock is removed");

    private static async Task<bool> ReleaseAsync(FoundMount mount)
    {
        try
        {
            using TargetProcess target = TargetProcess.Open(mount.Pid);
            return await AbandonedMounts.ReleaseAsync(target);
        }
        catch (CrashcartException gone) when (gone.Reason == FailureReason.TargetGone)
        {
            // It was a helper that had mounted, and has ended since; the next survey finds who is left.
            return await ReleaseAsync(MountSurvey.Read().Mounts.Single(left => left.MountId == mount.MountId));
        }
    }

    /// <summary>What a session leaves that was killed with its guardian.</summary>
    private static async Task LeaveMountAsync(TargetProcess target, AttachedImage image)
    {
        using SharedMountLock held = await SharedMountLock.TakeEitherAsync(target, default, TimeSpan.FromSeconds(10), CancellationToken.None);
        await SharedMount.FindOrAttachAsync(target, default, image, held, forSessions: true, CancellationToken.None);
    }

    private static FoundMount[] FoundIn(Toolbox box) => [.. MountSurvey.Read().Mounts.Where(mount => mount.BackingFile == box.ImagePath)];

    private static string LockOf(int pid)
    {
        FileIdentity space = FileIdentity.Of($"/proc/{pid}/ns/mnt")!.Value;
        return $"/run/crashcart/mounts-{space.DeviceMinor}-{space.Inode}.lock";
    }

    /// <summary>Processes in mount namespaces of their own, each with an empty /dev.</summary>
    private sealed class ManyNamespaces : IDisposable
    {
        // They end with their standard input, and so with this process.
        private const string Script = """
            exec 3<&0
            i=0
            while [ $i -lt "$1" ]; do
                unshare --mount --propagation private sh -c 'mount -t tmpfs none /dev && echo $$ && exec cat <&3' &
                i=$((i + 1))
            done
            wait
            """;

        private readonly Process _all;

        public ManyNamespaces(int count)
        {
            _all = Process.Start(new ProcessStartInfo("sh", ["-c", Script, "sh", $"{count}"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
            Pids = [.. Enumerable.Range(0, count).Select(_ => int.Parse(_all.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture))];
        }

        public IReadOnlyList<int> Pids { get; }

        public void Dispose()
        {
            _all.StandardInput.Close();
            _all.WaitForExit();
            _all.Dispose();
        }
    }
}
