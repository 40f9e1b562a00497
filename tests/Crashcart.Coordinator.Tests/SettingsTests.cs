using System.CommandLine;
using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Tests;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("--listen", "0.0.0.0:7430")]
    [InlineData("--listen", "[::]:7430")]
    [InlineData("--listen", "10.1.2.3:7430")]
    [InlineData("--stream-listen", "0.0.0.0:0")]
    [InlineData("--cluster-listen", "192.168.0.1:7420")]
    public void An_address_that_other_machines_reach_is_refused_without_tls(string flag, string address)
    {
        var problem = Assert.Throws<SettingsException>(() => Read("--insecure", flag, address)).Message;
        Assert.Contains(flag.TrimStart('-'), problem);
        Assert.Contains(address, problem);
        Assert.Contains("without TLS", problem);
        Assert.DoesNotContain('\n', problem);
    }

    [Theory]
    [InlineData("--listen", "7430")]
    [InlineData("--listen", "127.0.0.1")]
    [InlineData("--listen", "example.org:80")]
    [InlineData("--cluster-listen", "127.0.0.1:99999")]
    [InlineData("--seed", "127.0.0.1")]
    [InlineData("--socket", "relative.sock")]
    public void What_is_no_address_is_refused(string flag, string value) =>
        Assert.Contains(value, Assert.Throws<SettingsException>(() => Read("--insecure", flag, value)).Message);

    [Fact]
    public void Without_an_identity_it_must_be_told_that_it_is_to_be_insecure()
    {
        var problem = Assert.Throws<SettingsException>(() => Read()).Message;
        Assert.Contains("ca issue coordinator", problem);
        Assert.Contains("--insecure", problem);
        Assert.Null(Read("--solo").TlsDirectory);
        Assert.Contains("leave one of them out", Assert.Throws<SettingsException>(() => Read("--insecure", "--tls-dir", "/nonexistent")).Message);
        Assert.DoesNotContain("--insecure", Assert.Throws<SettingsException>(() => Read("--tls-dir", "/nonexistent")).Message);
    }

    [Fact]
    public void Nodes_join_only_where_the_authority_is()
    {
        using var authority = new Doubles.TestAuthority();
        string tls = authority.Issue(Node.Identity.PeerRole.Coordinator, "c1");
        Assert.Contains("give --tls-dir", Assert.Throws<SettingsException>(() => Read("--insecure", "--join-listen", "127.0.0.1:7423")).Message);
        Assert.Contains("has none", Assert.Throws<SettingsException>(() => Read("--join-listen", "127.0.0.1:7423", "--tls-dir", tls, "--ca-dir", "/nonexistent")).Message);
        Assert.Equal(7423, Read("--join-listen", "127.0.0.1:7423", "--tls-dir", tls, "--ca-dir", authority.Location).JoinListen!.Port);
    }

    [Fact]
    public void Nothing_said_is_a_socket_and_the_loopback()
    {
        var settings = Read("--insecure");
        Assert.Equal("/run/crashcart/coordinator.sock", settings.Socket);
        Assert.Null(settings.Listen);
        Assert.Equal("127.0.0.1:0", settings.StreamListen.ToString());
        Assert.Equal("127.0.0.1:7420", settings.ClusterListen.ToString());
        Assert.Empty(settings.Seeds);
        Assert.Null(settings.Solo);
    }

    [Fact]
    public void Coordinators_that_name_each_other_agree_on_who_is_first()
    {
        var one = Read("--insecure", "--cluster-listen", "127.0.0.1:7001", "--seed", "127.0.0.1:7002");
        var other = Read("--insecure", "--cluster-listen", "localhost:7002", "--seed", "localhost:7001");
        Assert.Equal(["127.0.0.1:7001", "127.0.0.1:7002"], one.Seeds);
        Assert.Equal(one.Seeds, other.Seeds);
    }

    private static CoordinatorSettings Read(params string[] flags)
    {
        var reader = new SettingsReader("/nonexistent/coordinator.yaml", CoordinatorSettings.Definitions);
        var command = new RootCommand();
        reader.AddTo(command);
        return CoordinatorSettings.From(reader.Read(command.Parse(flags), _ => null));
    }
}
