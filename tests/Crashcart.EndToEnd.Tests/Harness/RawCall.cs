using System.Buffers.Binary;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A gRPC call, byte by byte: what is sent need not be a message.</summary>
internal sealed class RawCall : IDisposable
{
    public const int InvalidArgument = 3, PermissionDenied = 7, ResourceExhausted = 8, Unimplemented = 12, Internal = 13;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly HttpClient _client;
    private readonly Pipe _request = new();
    private readonly Task<HttpResponseMessage> _response;
    private NetworkStream? _connection;

    /// <param name="peer">Who is called: each call has a connection of its own.</param>
    /// <param name="method">SERVICE/METHOD</param>
    public RawCall(EndPoint peer, string method)
    {
        _client = new HttpClient(new SocketsHttpHandler { ConnectCallback = async (_, cancellation) => _connection = await Connect(peer, cancellation) });
        var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost/{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new SentAtOnce(_request.Reader),
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        _response = _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public static async Task<NetworkStream> Connect(EndPoint peer, CancellationToken cancellation = default)
    {
        var socket = peer is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(peer, cancellation);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>A message as gRPC has it: its length before it.</summary>
    public static byte[] Message(params byte[][] fields)
    {
        byte[] body = [.. fields.SelectMany(field => field)];
        return [.. Prefix(0, (uint)body.Length), .. body];
    }

    public static byte[] Prefix(byte compressed, uint length)
    {
        var prefix = new byte[5];
        prefix[0] = compressed;
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), length);
        return prefix;
    }

    /// <summary>A field of protobuf's: bytes, a text, or a message of more fields.</summary>
    public static byte[] Field(int number, params byte[][] parts)
    {
        byte[] body = [.. parts.SelectMany(part => part)];
        return [(byte)(number << 3 | 2), .. Varint((uint)body.Length), .. body];
    }

    public static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    public static byte[] Field(int number, uint value) => [(byte)(number << 3), .. Varint(value)];

    public async Task Send(byte[] bytes) => await _request.Writer.WriteAsync(bytes);

    /// <summary>Nothing more will be sent.</summary>
    public void Complete() => _request.Writer.Complete();

    /// <summary>Everything that is answered.</summary>
    public async Task<byte[]> Read() => await (await _response.WaitAsync(Patience)).Content.ReadAsByteArrayAsync().WaitAsync(Patience);

    /// <summary>Waits for the end of the call: gRPC's status, and the sentence with it.</summary>
    public async Task<(int Code, string Detail)> Status()
    {
        await Read();
        var response = await _response;
        HttpHeaders headers = response.Headers.Contains("grpc-status") ? response.Headers : response.TrailingHeaders;
        var code = int.Parse(headers.GetValues("grpc-status").Single(), CultureInfo.InvariantCulture);
        return (code, headers.TryGetValues("grpc-message", out var detail) ? Uri.UnescapeDataString(detail.Single()) : "");
    }

    /// <summary>As if its process had ended: an answer that nobody reads would keep the connection open.</summary>
    public void Dispose()
    {
        _connection?.Dispose();
        _request.Writer.Complete();
        _client.Dispose();
    }

    private static byte[] Varint(uint value)
    {
        var bytes = new List<byte>();
        for (; value > 0x7F; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        return [.. bytes, (byte)value];
    }

    /// <summary>HttpClient keeps what is written until more comes, or somebody flushes.</summary>
    private sealed class SentAtOnce(PipeReader source) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            // The request begins before its first message.
            await stream.FlushAsync();
            while (true)
            {
                ReadResult read = await source.ReadAsync();
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                    await stream.WriteAsync(piece);
                source.AdvanceTo(read.Buffer.End);
                await stream.FlushAsync();
                if (read.IsCompleted)
                    return;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
