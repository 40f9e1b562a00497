using System.Net.Sockets;
using System.Text;

namespace Crashcart.Native.Tests.Hostile;

/// <summary>What a container may have put in Crashcart's way before it comes.</summary>
[Collection(TheHost.Name)]
public sealed class ShapeTests
{
    private const string Plain = "is no plain directory";
    private const string Socket = "a socket";
    private const string Foreign = "Something that is not Crashcart's is mounted";

    public static TheoryData<string, string> MountPoints => new()
    {
        { "mkdir evil; ln -s /evil dev/crashcart", Plain },
        { "mkdir evil; ln -s ../evil dev/crashcart", Plain },
        { "ln -s crashcart dev/crashcart", Plain },
        { "ln -s /proc/self/root/evil dev/crashcart", Plain },
        { ": >dev/crashcart", Plain },
        { "mkfifo dev/crashcart", Plain },
        { "mknod dev/crashcart b 7 0", Plain },
        { Socket, Plain },
        { "mkdir dev/crashcart; mount -t tmpfs other dev/crashcart", Foreign },
        { "mkdir dev/crashcart; mount --bind bin dev/crashcart", Foreign },
        { "mkdir dev/crashcart evil upper; mount -t tmpfs tmpfs upper; mkdir upper/u upper/w; mount -t overlay -o lowerdir=evil,upperdir=upper/u,workdir=upper/w overlay dev/crashcart", Foreign },
    };

    /// <summary>What is said when the private mount, and when the shared one, is refused.</summary>
    public static TheoryData<string, string?, string?> Devs => new()
    {
        { "umount -l dev; rmdir dev; ln -s tmp dev", Plain, Plain },
        { "umount -l dev; rmdir dev; ln -s /proc/1/root/tmp dev", Plain, Plain },
        { "umount -l dev; rmdir dev; : >dev", Plain, Plain },
        { "umount -l dev; rmdir dev", "There is no /dev directory", "There is no /dev directory" },
        { "umount -l dev", null, null },
        { "mount -t tmpfs other dev", null, null },
        { "mount -t tmpfs -o noexec,nodev,nosuid,mode=000 other dev", null, null },
        { "mount -t tmpfs -o ro other dev", null, "cannot be made" },
        { "mount -t proc other dev", null, "cannot be made" },
    };

    public static TheoryData<string> Terminals => new()
    {
        { "umount dev/pts; mount -t tmpfs other dev/pts; mknod dev/pts/ptmx c 1 3" },
        { "umount dev/pts; mount -t tmpfs other dev/pts; ln -s /dev/null dev/pts/ptmx" },
        { "umount dev/pts; rmdir dev/pts; ln -s /tmp dev/pts" },
        { "umount dev/pts; rmdir dev/pts; : >dev/pts" },
        { "umount dev/pts; rmdir dev/pts" },
        { "mount -t devpts -o newinstance,ptmxmode=0000 devpts dev/pts" },
        { "rm dev/ptmx; ln -s /tmp/evil dev/ptmx" },
    };

    public static TheoryData<string> Procs => new()
    {
        { "umount -l proc" },
        { "umount -l proc; mount -t tmpfs other proc; mkdir -p proc/self/fd proc/1; echo 1 >proc/self/status; ln -s /bin/busybox proc/self/exe" },
        { "mount -t proc -o remount,hidepid=2 proc proc" },
        { "umount -l proc; mount -t proc -o subset=pid proc proc" },
        { "mount -t tmpfs other proc/sys; mount --bind /bin/busybox proc/self/stat 2>/dev/null; mkdir -p sys; mount -t tmpfs other sys" },
    };

    [Theory]
    [MemberData(nameof(MountPoints))]
    public async Task What_is_at_the_mount_point_is_neither_followed_nor_covered_nor_taken_away(string setup, string sentence)
    {
        using var box = new Toolbox(setup: setup == Socket ? "" : setup);
        using var socket = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (setup == Socket)
            socket.Bind(new UnixDomainSocketEndPoint(box.Container.Inside("/dev/crashcart")));
        string before = Mounts(box);
        FileIdentity there = FileIdentity.At(Dev(box), "crashcart") ?? default;
        await Refused(() => SharedMount.AttachAsync(box.Target, box.Image), sentence);
        await Refused(() => box.RunAsync(box.Spec("true") with { Shared = true }), sentence);
        Assert.False(await SharedMount.DetachAsync(box.Target, force: true));
        Assert.Equal("/dev/crashcart/bin/busybox\n", (await box.RunAsync(box.Spec("readlink", "/proc/self/exe"))).Output);
        Assert.Equal(before, Mounts(box));
        Assert.Equal(there, FileIdentity.At(Dev(box), "crashcart") ?? default);
        if (Directory.Exists(box.Container.Inside("/evil")))
            Assert.Empty(Directory.GetFileSystemEntries(box.Container.Inside("/evil")));
    }

    [Fact]
    public async Task A_directory_that_holds_something_is_covered_and_comes_back_as_it_was()
    {
        using var box = new Toolbox(setup: "mkdir -p dev/crashcart/bin; echo evil >dev/crashcart/bin/true; chmod +x dev/crashcart/bin/true");
        Assert.Equal(0, (await box.RunAsync(box.Spec("true"))).Exit.Code);
        Assert.Equal(0, (await box.RunAsync(box.Spec("true") with { Shared = true })).Exit.Code);
        await SharedMount.AttachAsync(box.Target, box.Image);
        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.Equal("evil\n", File.ReadAllText(box.Container.Inside("/dev/crashcart/bin/true")));
    }

    [Theory]
    [MemberData(nameof(Devs))]
    public async Task A_dev_of_any_kind_takes_the_image_or_is_refused_and_is_the_same_after_that(string setup, string? isPrivate, string? isShared)
    {
        using var box = new Toolbox(setup: setup);
        string before = Mounts(box);
        foreach ((bool shared, string? sentence) in ((bool, string?)[])[(false, isPrivate), (true, isShared)])
        {
            ToolSpec spec = box.Spec("readlink", "/proc/self/exe") with { Shared = shared };
            if (sentence is null)
                Assert.Equal("/dev/crashcart/bin/busybox\n", (await box.RunAsync(spec)).Output);
            else
                await Refused(() => box.RunAsync(spec), sentence);
        }
        Assert.False(await SharedMount.DetachAsync(box.Target));
        Assert.Equal(before, Mounts(box));
        Assert.False(Directory.Exists("/dev/crashcart"));
    }

    [Theory]
    [MemberData(nameof(Terminals))]
    public async Task A_terminal_is_the_kernels_or_there_is_none(string setup)
    {
        using var box = new Toolbox(setup: setup);
        string before = Mounts(box);
        ToolSpec spec = box.Script("[ -t 0 ] && stty size") with { Terminal = new TerminalSize(24, 80) };
        await using (ToolProcess tool = await box.StartAsync(spec, ToolStreams.Terminal))
        {
            var seen = new StringBuilder();
            await ToolProcessTests.ReadUntilAsync(tool.Terminal!, seen, null);
            Assert.Equal("24 80\r\n", seen.ToString());
        }
        Assert.Equal(before, Mounts(box));
    }

    [Fact]
    public async Task What_is_mounted_over_the_terminals_multiplexer_is_not_even_opened()
    {
        // Who opens the FIFO lets its writer go on.
        using var box = new Toolbox(
            setup: "mkfifo fifo; mount --bind fifo dev/pts/ptmx", command: "echo >/fifo; echo >/tmp/opened; exec /bin/busybox cat");
        CrashcartException e = await box.RefusedAsync(box.Spec("true") with { Terminal = new TerminalSize(24, 80) }, ToolStreams.Terminal);
        Assert.Equal(FailureReason.TargetHostile, e.Reason);
        Assert.Contains("No terminal can be opened", e.Message, StringComparison.Ordinal);
        Assert.Equal("ok\n", (await box.RunAsync(box.Spec("echo", "ok"))).Output);
        Assert.False(File.Exists(box.Container.Inside("/tmp/opened")));
    }

    [Theory]
    [MemberData(nameof(Procs))]
    public async Task A_proc_of_any_kind_is_not_what_Crashcart_looks_at(string setup)
    {
        using var box = new Toolbox(setup: setup);
        string before = Mounts(box);
        foreach (bool shared in (bool[])[false, true])
            Assert.Equal("ok:/home/user\n", (await box.RunAsync(box.Script("echo ok:$HOME") with { Shared = shared, User = "user" })).Output);
        await SharedMount.AttachAsync(box.Target, box.Image);
        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.Equal(before, Mounts(box));
    }

    private static string Mounts(Toolbox box) => File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo");

    private static Descriptor Dev(Toolbox box) => Descriptor.Open(box.Container.Inside("/dev"), Tmds.Linux.LibC.O_PATH);

    private static async Task Refused(Func<Task> action, string sentence)
    {
        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(action);
        Assert.Equal(FailureReason.TargetHostile, e.Reason);
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
    }
}
