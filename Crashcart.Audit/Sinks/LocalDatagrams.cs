using System.Net.Sockets;

namespace Crashcart.Audit.Sinks;

/// <summary>Sends datagrams to a Unix socket of this host; whoever is behind it may go and come.</summary>
internal sealed class LocalDatagrams(string path) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private Socket? _socket;

    /// <returns>False when it is longer than a datagram may be here.</returns>
    /// <exception cref="ReceiverException">Nobody takes it.</exception>
    public async Task<bool> SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            _socket ??= Connect();
            await _socket.SendAsync(datagram, SocketFlags.None, patience.Token).ConfigureAwait(false);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.MessageSize)
        {
            return false;
        }
        catch (SocketException e)
        {
            Dispose();
            throw new ReceiverException(
                e.SocketErrorCode switch
                {
                    // ENOENT, for .NET.
                    SocketError.AddressNotAvailable => $"there is no socket {path}",
                    SocketError.ConnectionRefused => $"nobody listens on {path}",
                    _ => $"{path} takes nothing ({e.Message})",
                },
                e);
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            Dispose();
            throw new ReceiverException($"whoever listens on {path} has taken nothing for {Patience.TotalSeconds} s", e);
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
