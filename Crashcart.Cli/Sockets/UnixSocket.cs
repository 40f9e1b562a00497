using System.Net.Sockets;

namespace Crashcart.Cli.Sockets;

/// <summary>Connections to daemons of this host.</summary>
internal static class UnixSocket
{
    /// <exception cref="SocketException">See <see cref="Describe"/>.</exception>
    public static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Why a connection failed, as the end of a sentence.</summary>
    /// <param name="failure">Of <see cref="ConnectAsync"/>, or of TCP.</param>
    /// <param name="path">The socket; null for TCP.</param>
    /// <param name="group">Who else than root may connect.</param>
    public static string Describe(SocketException failure, string? path, string group) => failure.SocketErrorCode switch
    {
        _ when path is not null && !File.Exists(path) => "there is no such socket",
        SocketError.AccessDenied => $"permission denied (be root, or in the group {group})",
        SocketError.ConnectionRefused => "nobody listens there",
        _ => failure.Message,
    };
}
