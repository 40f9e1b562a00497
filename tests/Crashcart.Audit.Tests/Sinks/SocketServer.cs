using System.Net.Sockets;
using System.Text;

namespace Crashcart.Audit.Tests.Sinks;

/// <summary>Whoever listens on a datagram socket of this host, as a syslog does.</summary>
internal sealed class SocketServer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly string _path;

    public SocketServer(string path)
    {
        _path = path;
        _socket.Bind(new UnixDomainSocketEndPoint(path));
    }

    public async Task<string> NextAsync()
    {
        byte[] buffer = new byte[1 << 20];
        using var patience = new CancellationTokenSource(Patience);
        int length = await _socket.ReceiveAsync(buffer, SocketFlags.None, patience.Token);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }

    public async Task<List<string>> TakeAsync(int count)
    {
        var taken = new List<string>();
        while (taken.Count < count)
            taken.Add(await NextAsync());
        return taken;
    }

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(_path);
    }
}
