using System.Net.Sockets;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Hostile;

/// <summary>A Docker Engine that tells of one container what was true a moment ago: a PID that is another's by now.</summary>
internal sealed class StaleDocker : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task _answering;

    /// <param name="container">Whose id it tells.</param>
    /// <param name="pid">The PID that it tells.</param>
    public StaleDocker(Container container, int pid)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(_directory["docker.sock"]));
        _listener.Listen();
        var body = $$"""{"Id":"{{container.Id}}","Name":"/{{container.Name}}","State":{"Status":"running","Running":true,"Pid":{{pid}} } }""";
        _answering = AnswerAsync(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
    }

    /// <summary>As DOCKER_HOST has it.</summary>
    public string Host => $"unix://{_directory["docker.sock"]}";

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _answering;
        await _directory.DisposeAsync();
    }

    private async Task AnswerAsync(byte[] answer)
    {
        try
        {
            while (true)
            {
                using var connection = await _listener.AcceptAsync();
                await connection.ReceiveAsync(new byte[16 * 1024]);
                await connection.SendAsync(answer);
            }
        }
        catch (Exception closed) when (closed is ObjectDisposedException or SocketException)
        {
            // No more is asked.
        }
    }
}
