using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>How the daemons start, or say why they do not.</summary>
[Collection(OnLocalHost.Name)]
public sealed class DaemonTests(LocalHost host) : HostTest
{
    [Theory]
    [InlineData("--listen", "0.0.0.0:7421")]
    [InlineData("--stream-listen", "0.0.0.0:7422")]
    [InlineData("--cluster-listen", "192.0.2.1:7423")]
    public async Task Coordinator_refuses_an_address_that_others_reach_without_encryption(string option, string address)
    {
        var result = await new Command(Artifacts.Coordinator, "--insecure", option, address, "--check").Run();
        result.Exited(1);
        Assert.Contains(address, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_prints_the_settings_and_starts_nothing()
    {
        await using var directory = TemporaryDirectory.Create();
        var coordinator = await new Command(Artifacts.Coordinator, "--insecure", "--socket", directory["c.sock"], "--check").Output();
        Assert.Contains(directory["c.sock"], coordinator, StringComparison.Ordinal);
        var node = await new Command(Artifacts.Node, "--insecure", "--name", "gamma", "--state-dir", directory["state"], "--image", host.Image, "--check").Output();
        Assert.Contains("gamma", node, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task Solo_is_a_fleet_of_one_without_any_setup()
    {
        await using var directory = TemporaryDirectory.Create();
        await using var box = await host.Docker.RunScratch("--label", "app=solo");
        var local = host.Crashcart();
        var environment = new Dictionary<string, string?>(local.Environment) { ["CRASHCART_COORDINATOR"] = $"unix://{directory["c.sock"]}" };
        var solo = new Daemon(new Command(
            Artifacts.Coordinator, "--solo", "--socket", directory["c.sock"], "--state-dir", directory["state"], "--name", "here")
        {
            Environment = local.Environment,
        });
        solo.Start();
        var exec = new Command(Artifacts.Cli, "fleet", "exec", "--label", "app=solo", "tcpdump", "-c", "3", "-ni", "any") { Environment = environment };
        CommandResult? result = null;
        await Eventually.Holds(
            async () => (result = await exec.Run()).ExitCode == 0,
            () => $"the fleet of one runs a tool; {result?.Error}\n{solo.Log}");
        Assert.Equal(3, result!.Lines.Count(line => line.StartsWith($"here/{box.Name} ", StringComparison.Ordinal)));

        await using var image = await SmallImage.Make("of-one");
        await new Command(Artifacts.Cli, "image", "push", image.Path, "of-one:1") { Environment = environment }.Output();
        var use = new Command(Artifacts.Cli, "exec", "-i", "of-one:1", $"here/{box.Name}", "cat", "/dev/crashcart/name") { Environment = environment };
        Assert.Equal("of-one", await use.Output());
        // The coordinator's copy is the node's, too.
        Assert.Single(Directory.GetFiles(directory["state/images"], "sha256-*"));
        var removed = await new Command(Artifacts.Cli, "image", "rm", "of-one:1") { Environment = environment }.Run();
        removed.Succeeded();
        Assert.Equal("", removed.Error);
        Assert.Empty(Directory.GetFiles(directory["state/images"], "*sha256*"));
        await solo.Stop();
        Assert.False(File.Exists(directory["c.sock"]));
    }
}
