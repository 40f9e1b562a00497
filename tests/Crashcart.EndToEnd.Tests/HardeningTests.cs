using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>What surrounds the daemons, and what they let out.</summary>
[Collection(OnLocalHost.Name)]
public sealed partial class HardeningTests(LocalHost host) : HostTest
{
    private const UnixFileMode Others = (UnixFileMode)0b000_111_111;

    private const UnixFileMode Everybody = (UnixFileMode)0b000_000_111;

    [Theory]
    [InlineData("crashcart-node")]
    [InlineData("crashcart-coordinator")]
    public async Task Systemd_takes_the_unit_and_the_program_knows_its_flags(string program)
    {
        var unit = SystemdUnit.Of(program);
        await using var directory = TemporaryDirectory.Create();
        string installed = directory[program + ".service"];
        string binary = Path.Combine(Path.GetDirectoryName(Artifacts.Node)!, program);
        await File.WriteAllTextAsync(installed, (await File.ReadAllTextAsync(unit.Path)).Replace(unit.Start[0], binary, StringComparison.Ordinal));

        var verified = await new Command("systemd-analyze", "verify", "--man=no", installed).Run();

        verified.Succeeded();
        Assert.Equal("", verified.Error);
        Assert.Equal(program, Path.GetFileName(unit.Start[0]));
        string help = await new Command(binary, "--help").Output();
        Assert.All(unit.Start.Where(word => word.StartsWith("--", StringComparison.Ordinal)), flag => Assert.Contains(flag + " ", help, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Both_daemons_work_in_the_sandboxes_of_their_units()
    {
        await using var directory = TemporaryDirectory.Create();
        using var syslog = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        syslog.Bind(new UnixDomainSocketEndPoint(directory["log"]));
        await using var fleet = await ConfinedFleet.Start(
            host, (command, writable) => SystemdUnit.Of(Path.GetFileName(command.Program)).Confine(command, writable), "--audit-syslog", "unixgram://" + directory["log"]);

        Assert.Equal("hello", await fleet.Exec("echo hello").Output());
        await Receives(syslog, " crashcart-node ", " crashcart-coordinator ");
        await fleet.Crashcart("mount", $"alpha/{fleet.Box.Name}").Output();
        Assert.Equal("yes", await fleet.Exec("--shared", "test -x /dev/crashcart/bin/bash && echo yes").Output());
        await fleet.Crashcart("unmount", $"alpha/{fleet.Box.Name}").Output();
        await using var image = await SmallImage.Make("confined");
        await fleet.Crashcart("image", "push", image.Path, "confined:1").Output();
        Assert.Equal("confined", await fleet.Crashcart("exec", "-i", "confined:1", $"alpha/{fleet.Box.Name}", "cat", "/dev/crashcart/name").Output());
        await using var joined = TemporaryDirectory.Create();
        await new Command(
            Artifacts.Node, ["join", fleet.JoinAddress, .. await fleet.Authority.Token(), "--name", "beta", "--tls-dir", joined["tls"]]).Output();
    }

    /// <summary>Datagrams, until each of the texts was in one.</summary>
    private static async Task Receives(Socket socket, params string[] texts)
    {
        byte[] datagram = new byte[64 << 10];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        for (HashSet<string> missing = [.. texts]; missing.Count > 0;)
        {
            string received = Encoding.ASCII.GetString(datagram, 0, await socket.ReceiveAsync(datagram, SocketFlags.None, patience.Token));
            missing.RemoveWhere(text => received.Contains(text, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("000")]
    [InlineData("777")]
    public async Task Whatever_the_umask_is_what_the_daemons_make_is_roots_alone(string umask)
    {
        // Each with an empty /run of its own.
        string[] masked = ["--mount", "--propagation", "slave", "sh", "-c", "mount -n -t tmpfs tmpfs /run && umask \"$1\" && shift && exec \"$@\"", "umask", umask];
        await using var fleet = await ConfinedFleet.Start(
            host, (command, _) => command with { Program = "unshare", Arguments = [.. masked, command.Program, .. command.Arguments] });
        await using var image = await SmallImage.Make("masked");
        await fleet.Crashcart("image", "push", image.Path, "masked:1").Output();
        Assert.Equal("masked", await fleet.Crashcart("exec", "-i", "masked:1", $"alpha/{fleet.Box.Name}", "cat", "/dev/crashcart/name").Output());
        // The tool's is the usual one.
        Assert.Equal("0022", await fleet.Exec("umask").Output());
        await fleet.Crashcart("cordon", "alpha").Output();

        string[] made = [.. fleet.StateDirectories, .. fleet.StateDirectories.SelectMany(path => Directory.GetFileSystemEntries(path, "*", SearchOption.AllDirectories))];

        Assert.InRange(made.Length, 5, int.MaxValue);
        Assert.All(made, path =>
        {
            UnixFileMode mode = File.GetUnixFileMode(path);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode & (Others | UnixFileMode.UserRead | UnixFileMode.UserWrite));
        });
        Assert.All((string[])[fleet.Socket, Path.GetDirectoryName(fleet.Socket)!], path => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & Everybody));
        string run = $"/proc/{fleet.Node.Pid}/root/run/crashcart";
        Assert.Equal((UnixFileMode)0b111_101_101, File.GetUnixFileMode(run));
        Assert.All(Directory.GetFiles(run), path => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & Others));
    }

    [Fact]
    public async Task Secrets_are_in_no_log_and_no_argument()
    {
        const string Value = "s3cr3t-of-the-tool";
        await using var fleet = await ConfinedFleet.Start(host, (command, _) => command, "--log-level", "trace");
        await using var tool = fleet.Exec("-e", $"PASSWORD={Value}", "test -n \"$PASSWORD\" && echo ready; sleep 1000").Start();
        await tool.Says("ready");
        string[] token = await fleet.Authority.Token();
        await using var joined = TemporaryDirectory.Create();
        await new Command(Artifacts.Node, ["join", fleet.JoinAddress, .. token, "--name", "beta", "--tls-dir", joined["tls"]]).Output();

        string[] arguments = [.. Directory.GetDirectories("/proc").Where(path => IsProcess().IsMatch(path) && path != $"/proc/{tool.Pid}").Select(ArgumentsOf)];
        await fleet.Node.Kill();
        (await tool.Result()).Exited(125);

        Assert.DoesNotContain(arguments, words => words.Contains(Value, StringComparison.Ordinal));
        string[] keys = [.. new[] { "c1", "alpha" }.Select(name => File.ReadLines(Path.Combine(fleet.Authority[name], "tls.key")).ElementAt(1))];
        string logs = fleet.Coordinator.Log + fleet.Node.Log;
        Assert.Contains("beta", logs, StringComparison.Ordinal);
        Assert.All([Value, token[1].Split('.')[1], .. keys], secret => Assert.DoesNotContain(secret, logs, StringComparison.Ordinal));
    }

    private static string ArgumentsOf(string process)
    {
        try
        {
            return File.ReadAllText(process + "/cmdline");
        }
        catch (IOException)
        {
            // It has ended.
            return "";
        }
    }

    [GeneratedRegex(@"/\d+$")]
    private static partial Regex IsProcess();
}
