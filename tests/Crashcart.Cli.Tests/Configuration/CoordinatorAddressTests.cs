using Crashcart.Cli.Configuration;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Configuration;

public sealed class CoordinatorAddressTests
{
    [Fact]
    public void A_unix_socket_is_a_path() => Assert.Equal("/run/a.sock", CoordinatorAddress.Parse("unix:///run/a.sock").SocketPath);

    [Theory]
    [InlineData("http://127.0.0.1:7070")]
    [InlineData("http://127.1.2.3:7070")]
    [InlineData("http://[::1]:7070")]
    [InlineData("http://localhost:7070")]
    [InlineData("https://fleet.example:7070")]
    public void Tcp_is_loopback_or_encrypted(string text) => Assert.Null(CoordinatorAddress.Parse(text).SocketPath);

    [Theory]
    [InlineData("http://10.0.0.1:7070", "plain text")]
    [InlineData("http://fleet.example:7070", "plain text")]
    [InlineData("http://localhost.example:7070", "plain text")]
    [InlineData("fleet.example:7070", "no address")]
    [InlineData("unix://relative", "no address")]
    [InlineData("unix:///", "no address")]
    [InlineData("http://127.0.0.1/x", "no address")]
    [InlineData("ftp://127.0.0.1", "no address")]
    [InlineData("", "no address")]
    public void Anything_else_is_refused(string text, string why) =>
        Assert.Contains(why, Assert.Throws<CrashcartException>(() => CoordinatorAddress.Parse(text)).Message, StringComparison.Ordinal);
}
