using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>
/// Knows the names of a small zone (RFC 1035). It answers one message a connection on a Unix socket, so that a process in
/// any network namespace can pass the messages of a UDP port to it.
/// </summary>
internal sealed class DnsServer(string socketPath) : UnixServer(socketPath)
{
    private const ushort A = 1, Ptr = 12, Text = 16, InternetClass = 1, NoSuchName = 3, AnsweredWithAuthority = 0x8580;
    private const int HeaderLength = 12;

    private static readonly Dictionary<(string Name, ushort Type), byte[]> Zone = new()
    {
        [("service.test", A)] = IPAddress.Loopback.GetAddressBytes(),
        [("far.test", A)] = IPAddress.Parse("192.0.2.7").GetAddressBytes(),
        [("service.test", Text)] = [11, .. "all is well"u8],
        [("7.2.0.192.in-addr.arpa", Ptr)] = EncodeName("far.test"),
    };

    protected override async Task Serve(NetworkStream client, CancellationToken closing)
    {
        var query = new byte[512];
        var length = await client.ReadAsync(query, closing);
        if (length > HeaderLength)
            await client.WriteAsync(Answer(query.AsSpan(0, length)), closing);
    }

    private static byte[] Answer(ReadOnlySpan<byte> query)
    {
        var position = HeaderLength;
        var labels = new List<string>();
        while (query[position] is var length and > 0)
        {
            labels.Add(Encoding.ASCII.GetString(query.Slice(position + 1, length)));
            position += 1 + length;
        }
        var type = BinaryPrimitives.ReadUInt16BigEndian(query[(position + 1)..]);
        var question = query[HeaderLength..(position + 5)];
        var name = string.Join('.', labels).ToLowerInvariant();
        var found = Zone.GetValueOrDefault((name, type));
        var known = Zone.Keys.Any(key => key.Name == name);

        byte[] header =
        [
            query[0], query[1], .. BigEndian((ushort)(AnsweredWithAuthority | (known ? 0 : NoSuchName))),
            .. BigEndian(1), .. BigEndian((ushort)(found is null ? 0 : 1)), .. BigEndian(0), .. BigEndian(0),
        ];
        if (found is null)
            return [.. header, .. question];
        byte[] timeToLive = [0, 0, 0, 60], questionsName = [0xC0, HeaderLength];
        return
        [
            .. header, .. question, .. questionsName, .. BigEndian(type), .. BigEndian(InternetClass), .. timeToLive,
            .. BigEndian((ushort)found.Length), .. found,
        ];
    }

    private static byte[] EncodeName(string name) =>
        [.. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];

    private static byte[] BigEndian(ushort number) => [(byte)(number >> 8), (byte)number];
}
