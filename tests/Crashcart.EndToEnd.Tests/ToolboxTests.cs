using Crashcart.EndToEnd.Tests.Harness;
using Crashcart.EndToEnd.Tests.Toolbox;

namespace Crashcart.EndToEnd.Tests;

/// <summary>
/// Every tool that the image promises does its work in every kind of container, whatever the container puts in its way,
/// and none of the container's code runs.
/// </summary>
[Collection(OnLocalHost.Name)]
public sealed class ToolboxTests(ToolboxHost host) : HostTest, IClassFixture<ToolboxHost>
{
    public static TheoryData<string, Road> Places()
    {
        var places = new TheoryData<string, Road>();
        foreach (var kind in ContainerKind.All)
        {
            places.Add(kind.Name, Road.CrashcartExec);
            places.Add(kind.Name, Road.DockerExec);
        }
        return places;
    }

    [Fact]
    public void Every_promised_tool_has_a_real_use()
    {
        Assert.NotEmpty(host.Promises);
        string[] unused = [.. host.Promises.Union(host.FullPromises).Except(UseTable.Tools)];
        Assert.True(
            unused.Length == 0,
            $"No use shows that these work, which an image promises: {string.Join(' ', unused)}. For each add to a table in "
            + "tests/Crashcart.EndToEnd.Tests/Toolbox/Uses what a person does with it, and what it then says.");
    }

    [Fact]
    public void Every_use_runs_the_tools_that_it_is_said_to_show() => Assert.All(UseTable.Lines, use =>
        Assert.All(use.Tools.Split(' '), tool => Assert.True(UseTable.Runs(use.Line, tool), $"'{use.Line}' does not run {tool}.")));

    /// <summary>That no mark is left means something only where traps work.</summary>
    [Fact]
    public async Task The_traps_catch_the_containers_own_programs()
    {
        await using var box = await host.Open(host.Image, new UsePlace(ContainerKind.Glibc, Road.DockerExec));
        host.Traps.Forget();
        (await box.Container.Exec("/victim").Run()).Succeeded();
        var marks = host.Traps.Marks;
        foreach (var trap in (string[])["LD_PRELOAD", "LD_AUDIT", "/etc/ld.so.preload", "/etc/nsswitch.conf", "GCONV_PATH", "/bin/sh"])
            Assert.Contains(marks, mark => mark.StartsWith($"{trap}: ", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public Task Every_tool_works_and_the_containers_code_does_not_run(string kind, Road road) =>
        Works(host.Image, kind, road, UseTable.Uses, UseTable.TerminalUses);

    [Theory]
    [InlineData("scratch", Road.CrashcartExec)]
    [InlineData("glibc", Road.DockerExec)]
    [InlineData("user namespace", Road.CrashcartExec)]
    public Task Every_tool_of_the_full_image_works_and_the_containers_code_does_not_run(string kind, Road road) =>
        Works(Artifacts.FullImage, kind, road, UseTable.FullUses, []);

    private async Task Works(string image, string kind, Road road, IReadOnlyList<Use> uses, IReadOnlyList<TerminalUse> terminalUses)
    {
        await using var box = await host.Open(image, new UsePlace(ContainerKind.All.Single(one => one.Name == kind), road));
        await box.Container.Exec("/trap/mark", "control").Output();
        Assert.Contains(host.Traps.Marks, mark => mark.StartsWith("control: ", StringComparison.Ordinal));
        host.Traps.Forget();
        var (before, traps) = (await box.Traces(), host.Traps.Files.ToArray());

        var notServing = await box.Start(Service.All);
        using var runner = new UseRunner(box, host.Desk, host.Traps);
        await runner.Run(uses);
        await runner.Run(terminalUses);
        await box.StopServices();

        string[] wrong =
        [
            .. notServing,
            .. runner.Failures,
            .. host.Traps.Marks.GroupBy(mark => mark.Split(": ")[0])
                .Select(trap => $"the container's code ran in {box.Place}, {trap.Count()} times, first {trap.First()}"),
            .. await box.Changes(before),
            .. host.Traps.Files.Except(traps).Select(file => $"left in {box.Place}: {file}"),
        ];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }
}
