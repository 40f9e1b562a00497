using Crashcart.Actors.Node.Ports;
using Crashcart.Node.Streams;

namespace Crashcart.Node.Tests.Streams;

public sealed class CoordinatorEndpointTests
{
    [Theory]
    [InlineData("http://127.0.0.1:7422")]
    [InlineData("http://[::1]:7422")]
    [InlineData("http://localhost:7422")]
    public void The_loopback_may_be_dialled_in_the_clear(string text) =>
        Assert.Equal(new Uri(text), CoordinatorEndpoint.Parse(text, isSecured: false).Address);

    [Fact]
    public void With_an_identity_another_host_may_be_dialled_by_tls() =>
        Assert.Equal(new Uri("https://10.0.0.1:7422"), CoordinatorEndpoint.Parse("https://10.0.0.1:7422", isSecured: true).Address);

    [Fact]
    public void With_an_identity_nothing_is_dialled_in_the_clear_any_more() => Assert.Contains(
        "speaks TLS only", Assert.Throws<NodeException>(() => CoordinatorEndpoint.Parse("http://127.0.0.1:7422", isSecured: true)).Message);

    [Fact]
    public void A_unix_socket_may_be_dialled() =>
        Assert.Equal("/run/crashcart/streams.sock", CoordinatorEndpoint.Parse("unix:/run/crashcart/streams.sock", isSecured: true).SocketPath);

    [Theory]
    [InlineData("http://10.0.0.1:7422", "not be encrypted")]
    [InlineData("http://coordinator.example:7422", "not be encrypted")]
    [InlineData("https://127.0.0.1:7422", "no identity")]
    [InlineData("ftp://127.0.0.1", "neither")]
    [InlineData("unix:", "neither")]
    [InlineData("", "neither")]
    public void Anything_else_is_refused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<NodeException>(() => CoordinatorEndpoint.Parse(text, isSecured: false)).Message);
}
