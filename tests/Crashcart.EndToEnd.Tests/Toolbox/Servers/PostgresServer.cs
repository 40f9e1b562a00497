using System.Buffers.Binary;
using System.Net.Sockets;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Lets everybody in and answers every simple query of the PostgreSQL protocol with one row: <c>all is well</c>.</summary>
internal sealed class PostgresServer(string socketPath) : UnixServer(socketPath)
{
    private const int EncryptionRequest = 80_877_103;

    private static readonly byte[] Welcome = [.. Message('R', [0, 0, 0, 0]), .. Parameter("server_version", "15.0"), .. Parameter("client_encoding", "UTF8"), .. Ready];

    private static readonly byte[] Answer =
    [
        .. Message('T', [0, 1, .. "state\0"u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25, 255, 255, 255, 255, 255, 255, 0, 0]), // a column of type text
        .. Message('D', [0, 1, 0, 0, 0, 11, .. "all is well"u8]),
        .. Message('C', [.. "SELECT 1\0"u8]),
        .. Ready,
    ];

    private static byte[] Ready => Message('Z', [(byte)'I']);

    protected override async Task Serve(NetworkStream client, CancellationToken closing)
    {
        while (BinaryPrimitives.ReadInt32BigEndian(await ReadRest(client, closing)) == EncryptionRequest)
            await client.WriteAsync("N"u8.ToArray(), closing);
        await client.WriteAsync(Welcome, closing);

        var kind = new byte[1];
        while (await client.ReadAsync(kind, closing) == 1)
        {
            await ReadRest(client, closing);
            if (kind[0] == 'Q')
                await client.WriteAsync(Answer, closing);
        }
    }

    /// <summary>Reads a length, which counts itself, and what it measures.</summary>
    private static async Task<byte[]> ReadRest(NetworkStream client, CancellationToken closing)
    {
        var length = new byte[4];
        await client.ReadExactlyAsync(length, closing);
        var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - length.Length];
        await client.ReadExactlyAsync(rest, closing);
        return rest;
    }

    private static byte[] Parameter(string name, string value) =>
        Message('S', [.. System.Text.Encoding.ASCII.GetBytes($"{name}\0{value}\0")]);

    private static byte[] Message(char kind, byte[] content)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, content.Length + length.Length);
        return [(byte)kind, .. length, .. content];
    }
}
