using System.Diagnostics;

namespace Crashcart.Cli.Tests.Program;

/// <summary>Ctrl-C in each step of a build: the step's program waits for ever, and is gone with everything else.</summary>
[Collection(AsNobody.Name)]
public sealed class ImageBuildInterruptionTests(Nobody nobody)
{
    private const string Unpacking = "Unpacking [0-9]+ packages";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private string Begun => nobody["begun"];

    private string Place => nobody["out"];

    private string Output => nobody["out/interrupted.img"];

    private string Scratch => nobody["cache/crashcart/image/scratch"];

    /// <param name="program">What the step runs.</param>
    /// <param name="line">What was said until then.</param>
    [Theory]
    [InlineData("apt-get", "Fetching package lists")]
    [InlineData("dpkg-deb", Unpacking)]
    [InlineData("mkfs.erofs", Unpacking)]
    public async Task Nothing_is_left_of_a_step_that_was_interrupted(string program, string line)
    {
        // mkfs.erofs is given the image as its last argument but one.
        using var shadow = nobody.Shadow(program, $"#!/bin/bash\ncase $0 in *mkfs*) echo part >\"${{@: -2:1}}\" ;; esac\necho >{Begun}\nsleep infinity\n");
        if (program == "apt-get")
            nobody.ForgetLists();
        if (program == "dpkg-deb")
            nobody.ForgetUnpacked();
        await Interrupt(line, program == "apt-get" ? ["--update"] : []);
    }

    [Fact]
    public async Task Nothing_is_left_of_a_program_that_was_being_started_as_a_check()
    {
        // chroot(1) is what root has; a user has unshare(1). The first run only asks whether the kernel lets it.
        using var shadow = nobody.Shadow("unshare", $"#!/bin/bash\n[[ $* == *--root* ]] || exit 0\necho >{Begun}\nsleep infinity\n");
        await Interrupt(Unpacking, []);
    }

    [Fact]
    public async Task What_a_killed_build_left_goes_with_the_next()
    {
        using (var shadow = nobody.Shadow(
            "mkfs.erofs", $"#!/bin/bash\necho part >\"${{@: -2:1}}\"\necho >{Begun}\nwhile kill -0 $PPID; do sleep 0.05; done\n"))
        {
            using var build = await Begin([]);
            build.Signal("KILL");
            await build.ResultAsync().WaitAsync(Patience);
            await NobodyIsLeft();
        }

        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(Place));
        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(Scratch));
        using var next = nobody.Start(["image", "build", "-f", nobody["other.yaml"], "-o", Output]);
        var (status, _, error) = await next.ResultAsync().WaitAsync(Patience);
        Assert.True(status == 0, error);
        Assert.Equal([Output], Directory.EnumerateFileSystemEntries(Place));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Scratch));
        File.Delete(Output);
    }

    /// <summary>A build that is in the step which the shadowed program takes.</summary>
    private async Task<CliProcess> Begin(string[] more)
    {
        Directory.CreateDirectory(Place);
        File.SetUnixFileMode(Place, (UnixFileMode)0b111_111_111);
        File.Copy(nobody.RecipePath, nobody["other.yaml"], overwrite: true);
        File.Copy(Path.ChangeExtension(nobody.RecipePath, ".lock"), nobody["other.lock"], overwrite: true);

        // A step may run its program several times at once, and another one may have said so after the first was seen.
        File.Delete(Begun);
        var build = nobody.Start(["image", "build", "-f", nobody["other.yaml"], "-o", Output, .. more]);
        await Holds(() => File.Exists(Begun), "the step has begun");
        File.Delete(Begun);
        return build;
    }

    private async Task Interrupt(string line, string[] more)
    {
        using var build = await Begin(more);
        build.Signal("INT");

        var (status, said, error) = await build.ResultAsync().WaitAsync(Patience);
        Assert.Equal((130, ""), (status, said));
        Assert.Matches($"^{line}\n$", error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Place));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Scratch));
        Assert.Empty(Directory.EnumerateFileSystemEntries(nobody["tmp"]));
        await NobodyIsLeft();
    }

    private Task NobodyIsLeft() => Holds(() => !nobody.Processes().Any(), $"no process is left, and there is {string.Join(", ", nobody.Processes())}");

    private static async Task Holds(Func<bool> condition, string what)
    {
        var since = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(since) < Patience, $"Not so in time: {what}");
            await timer.WaitForNextTickAsync();
        }
    }
}
