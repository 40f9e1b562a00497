using System.CommandLine;
using Crashcart.Audit.Sinks;
using Crashcart.Node.Configuration;

namespace Crashcart.Node.Tests.Configuration;

public sealed class NodeSettingsTests
{
    [Fact]
    public void Without_any_setting_a_node_is_of_this_host_alone()
    {
        var settings = Read("");

        Assert.Equal(Environment.MachineName, settings.Name);
        Assert.Equal("127.0.0.1:7421", settings.Listen.ToString());
        Assert.Equal("127.0.0.1:7420", Assert.Single(settings.Seeds).ToString());
        Assert.Equal(1L << 30, settings.SessionMemory);
        Assert.Equal(1024, settings.SessionProcesses);
        Assert.Equal((1L << 30, TimeSpan.FromDays(7)), (settings.RunOutputBudget, settings.RunOutputAge));
    }

    [Fact]
    public void What_is_kept_of_detached_runs_is_limited_in_size_and_in_days()
    {
        var settings = Read("--run-output-budget 3MiB --run-output-age 2");

        Assert.Equal((3L << 20, TimeSpan.FromDays(2)), (settings.RunOutputBudget, settings.RunOutputAge));
    }

    [Fact]
    public void Zero_is_no_limit()
    {
        var settings = Read("--session-memory 0 --session-processes 0");

        Assert.Null(settings.SessionMemory);
        Assert.Null(settings.SessionProcesses);
    }

    [Fact]
    public void The_audit_log_is_sent_where_settings_say()
    {
        Assert.Equal(new SinkSettings(), Read("").Audit.Sinks);
        Assert.Equal(
            new SinkSettings("/dev/log", "/run/systemd/journal/socket", new HttpSinkSettings(new Uri("http://localhost:9000/in"))),
            Read("--audit-syslog unixgram:///dev/log --audit-journald /run/systemd/journal/socket --audit-http http://localhost:9000/in").Audit.Sinks);
    }

    [Fact]
    public void A_password_in_an_address_is_refused_and_not_repeated()
    {
        var error = Assert.Throws<SettingsException>(() => Read("--audit-http https://me:s3cret@logs.example/"));

        Assert.Contains("audit-http-token-file", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--listen 0.0.0.0:7421", "can dial")]
    [InlineData("--listen [::]:7421", "can dial")]
    [InlineData("--listen 10.0.0.1:7421", "without TLS")]
    [InlineData("--listen host.example:7421", "without TLS")]
    [InlineData("--listen 127.0.0.1", "HOST:PORT")]
    [InlineData("--listen 127.0.0.1:99999", "HOST:PORT")]
    [InlineData("--listen ::1:7421", "HOST:PORT")]
    [InlineData("--seed nowhere", "HOST:PORT")]
    [InlineData("--name a/b", "not a name")]
    [InlineData("--name .hidden", "not a name")]
    [InlineData("--docker-host tcp://10.0.0.1:2375", "own host only")]
    [InlineData("--session-memory much", "not a size")]
    [InlineData("--session-processes -1", "not a whole number")]
    [InlineData("--run-output-budget much", "not a size")]
    [InlineData("--run-output-age 0", "not a whole number from 1")]
    [InlineData("--run-output-age week", "not a whole number from 1")]
    [InlineData("--max-sessions 0", "not a whole number from 1")]
    [InlineData("--log-level loud", "not a level")]
    [InlineData("--audit-syslog udp://10.0.0.1", "no socket of this host")]
    [InlineData("--audit-journald socket", "no socket of this host")]
    [InlineData("--audit-http logs.example", "no address of a server")]
    [InlineData("--audit-http ftp://logs.example", "no address of a server")]
    [InlineData("--audit-http http://logs.example/", "loopback alone")]
    [InlineData("--audit-http-token-file /etc/token", "without --audit-http")]
    [InlineData("--audit-http-token-file /nonexistent --audit-http https://logs.example/", "cannot be read")]
    [InlineData("--audit-http-ca /etc/passwd --audit-http https://logs.example/", "no certificate")]
    public void A_wrong_value_is_refused_with_its_name_and_the_reason(string flags, string reason)
    {
        var error = Assert.Throws<SettingsException>(() => Read(flags));

        Assert.Contains($"The setting {flags.Split(' ')[0].TrimStart('-')} = ", error.Message);
        Assert.Contains(reason, error.Message);
    }

    [Theory]
    [InlineData("[::1]:7421", "::1", 7421)]
    [InlineData("127.0.0.1:0", "127.0.0.1", 0)]
    [InlineData("localhost:7421", "localhost", 7421)]
    public void The_loopback_has_several_names(string text, string host, int port)
    {
        var listen = Read($"--listen {text}").Listen;

        Assert.Equal(new HostPort(host, port), listen);
        Assert.Equal(text, listen.ToString());
    }

    private static NodeSettings Read(string flags)
    {
        var reader = new SettingsReader("/nonexistent/node.yaml", NodeSettings.Definitions);
        var command = new Command("test");
        reader.AddTo(command);
        var parsed = command.Parse("--insecure " + flags);
        Assert.Empty(parsed.Errors);
        return NodeSettings.From(reader.Read(parsed, _ => null));
    }
}
