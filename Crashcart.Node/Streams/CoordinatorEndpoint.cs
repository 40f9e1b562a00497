using System.Net;
using System.Net.Sockets;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Node.Streams;

/// <summary>
/// Where a coordinator takes session streams: <c>unix:PATH</c>, <c>https://HOST:PORT</c>, or <c>http://HOST:PORT</c> on this host's
/// loopback.
/// </summary>
internal sealed record CoordinatorEndpoint(Uri Address, string? SocketPath)
{
    private const string UnixPrefix = "unix:";

    /// <param name="isSecured">The node has an identity, and dials nobody over TCP who proves none.</param>
    /// <exception cref="NodeException">Malformed; or it would send what the tool reads and writes in the clear over a network.</exception>
    public static CoordinatorEndpoint Parse(string text, bool isSecured)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal) && text.Length > UnixPrefix.Length)
            return new CoordinatorEndpoint(new Uri("http://localhost"), text[UnixPrefix.Length..]);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
            throw Refused(text, "it is neither unix:PATH nor https://HOST:PORT; look at the coordinator's configuration");
        if (address.Scheme == Uri.UriSchemeHttps && !isSecured)
            throw Refused(text, "this node has no identity for TLS; give it --tls-dir");
        if (address.Scheme == Uri.UriSchemeHttp && isSecured)
            throw Refused(text, "it is in the clear, and this node speaks TLS only; give the coordinator --tls-dir");
        if (address.Scheme == Uri.UriSchemeHttp && !address.IsLoopback)
            throw Refused(text, "it is not on this host's loopback and the stream would not be encrypted; use a coordinator on this host");
        return new CoordinatorEndpoint(address, null);
    }

    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellation)
    {
        EndPoint to = SocketPath is { } path ? new UnixDomainSocketEndPoint(path) : new DnsEndPoint(Address.Host, Address.Port);
        var socket = SocketPath is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(to, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static NodeException Refused(string text, string why) =>
        new(NodeFailure.Failed, $"The node does not dial the coordinator's stream endpoint {text}: {why}.");
}
