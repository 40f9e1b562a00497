using System.Net.Sockets;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Lets everybody in and answers every query of the MariaDB protocol with one row: <c>all is well</c>.</summary>
internal sealed class MariaDbServer(string socketPath) : UnixServer(socketPath)
{
    private const byte Query = 3, Utf8 = 33, VarString = 253;

    private static readonly byte[] Greeting =
    [
        10, .. "10.11.0-MariaDB\0"u8, 1, 0, 0, 0, .. "12345678\0"u8, // protocol, version, connection, salt
        0x08, 0x82, Utf8, 2, 0, 0x08, 0, 21, .. new byte[10], // capabilities: protocol 4.1, authentication by a plugin
        .. "123456789012\0mysql_native_password\0"u8,
    ];

    private static readonly byte[] Ok = [0, 0, 0, 2, 0, 0, 0];
    private static readonly byte[] End = [254, 0, 0, 2, 0];

    private static readonly byte[][] Answer =
    [
        [1], // column
        [3, .. "def"u8, 0, 0, 0, 5, .. "state"u8, 0, 12, Utf8, 0, 11, 0, 0, 0, VarString, 0, 0, 0, 0, 0],
        End,
        [11, .. "all is well"u8],
        End,
    ];

    protected override async Task Serve(NetworkStream client, CancellationToken closing)
    {
        await Send(client, 0, [Greeting], closing);
        var (login, sequence) = await Receive(client, closing);
        for (; login is not null; (login, sequence) = await Receive(client, closing))
            await Send(client, sequence + 1, login is [Query, ..] ? Answer : [Ok], closing);
    }

    private static async Task Send(NetworkStream client, int sequence, byte[][] packets, CancellationToken closing)
    {
        foreach (var packet in packets)
            await client.WriteAsync((byte[])[(byte)packet.Length, 0, 0, (byte)sequence++, .. packet], closing);
    }

    /// <summary>A packet without its header, and its number; null at the end.</summary>
    private static async Task<(byte[]? Packet, int Sequence)> Receive(NetworkStream client, CancellationToken closing)
    {
        var header = new byte[4];
        if (await client.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, closing) < header.Length)
            return (null, 0);
        var packet = new byte[header[0] | header[1] << 8 | header[2] << 16];
        await client.ReadExactlyAsync(packet, closing);
        return (packet, header[3]);
    }
}
