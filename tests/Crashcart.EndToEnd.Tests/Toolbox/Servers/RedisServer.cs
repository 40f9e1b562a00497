using System.Net.Sockets;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Answers every command of the Redis protocol, an array of bulk strings, with PONG.</summary>
internal sealed class RedisServer(string socketPath) : UnixServer(socketPath)
{
    protected override async Task Serve(NetworkStream client, CancellationToken closing)
    {
        using var reader = new StreamReader(client, leaveOpen: true);
        while (await reader.ReadLineAsync(closing) is ['*', .. var count])
        {
            for (var line = 0; line < 2 * int.Parse(count); line++)
                await reader.ReadLineAsync(closing);
            await client.WriteAsync("+PONG\r\n"u8.ToArray(), closing);
        }
    }
}
