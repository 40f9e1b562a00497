using System.Net.Sockets;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>A server on a Unix socket: a volume carries it into containers, whatever their network namespace is.</summary>
internal abstract class UnixServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _serving;

    protected UnixServer(string socketPath)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(socketPath));
        File.SetUnixFileMode(socketPath, (UnixFileMode)0x1B6); // 0666: the root of a user namespace is nobody special here
        _listener.Listen();
        _serving = Serve();
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _serving;
        _listener.Dispose();
        _closing.Dispose();
    }

    /// <summary>Serves one client until it goes away, which may show as an exception.</summary>
    protected abstract Task Serve(NetworkStream client, CancellationToken closing);

    private async Task Serve()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
                clients.Add(Serve(await _listener.AcceptAsync(_closing.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task Serve(Socket client)
    {
        try
        {
            await using var stream = new NetworkStream(client, ownsSocket: true);
            await Serve(stream, _closing.Token);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The client went away, or the tests end.
        }
    }
}
