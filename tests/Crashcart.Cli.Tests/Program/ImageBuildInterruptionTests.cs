using System.Diagnostics;

namespace Crashcart.Cli.Tests.Program;

/// <summary>Ctrl-C in each step of a build: the step's program waits for ever, and is gone with everything else.</summary>
[Collection(AsNobody.Name)]
public sealed class ImageBuildInterruptionTests(Nobody nobody)
{
    private const string Unpacking = "Unpacking [0-9]+ packages";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private string Begun => nobody["begun"];

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
        await Interrupt(line, program == "apt-get" ? ["--update"] : []);
    }

    [Fact]
    public async Task Nothing_is_left_of_a_program_that_was_being_started_as_a_check()
    {
        // chroot(1) is what root has; a user has unshare(1). The first run only asks whether the kernel lets it.
        using var shadow = nobody.Shadow("unshare", $"#!/bin/bash\n[[ $* == *--root* ]] || exit 0\necho >{Begun}\nsleep infinity\n");
        await Interrupt(Unpacking, []);
    }

    private async Task Interrupt(string line, string[] more)
    {
        var output = nobody["out/interrupted.img"];
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        File.SetUnixFileMode(Path.GetDirectoryName(output)!, (UnixFileMode)0b111_111_111);
        File.Copy(nobody.RecipePath, nobody["other.yaml"], overwrite: true);
        File.Copy(Path.ChangeExtension(nobody.RecipePath, ".lock"), nobody["other.lock"], overwrite: true);

        using var build = nobody.Start(["image", "build", "-f", nobody["other.yaml"], "-o", output, .. more]);
        await Holds(() => File.Exists(Begun), "the step has begun");
        File.Delete(Begun);
        build.Signal("INT");

        var (status, said, error) = await build.ResultAsync().WaitAsync(Patience);
        Assert.Equal((130, ""), (status, said));
        Assert.Matches($"^{line}\n$", error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(output)!));
        Assert.Empty(Directory.EnumerateFileSystemEntries(nobody["tmp"]));
        await Holds(() => !nobody.Processes().Any(), $"no process is left, and there is {string.Join(", ", nobody.Processes())}");
    }

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
