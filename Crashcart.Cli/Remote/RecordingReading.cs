using System.Security.Cryptography;
using Crashcart.Api;
using Crashcart.Native;
using Grpc.Core;

namespace Crashcart.Cli.Remote;

/// <summary>A recording as it comes from a coordinator.</summary>
internal sealed class RecordingReading : IDisposable
{
    private readonly CoordinatorClient _client;
    private readonly AsyncServerStreamingCall<RecordingPart> _call;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private RecordingReading(CoordinatorClient client, string id, CancellationToken cancellation)
    {
        _client = client;
        _call = client.Recordings.ReadRecording(new ReadRecordingRequest { Id = id }, cancellationToken: cancellation);
    }

    public RecordingInfo Info { get; private set; } = null!;

    /// <summary>Of what has been read, 64 hex digits.</summary>
    public string Sha256 => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <exception cref="CrashcartException">There is none, or it must not be read.</exception>
    public static async Task<RecordingReading> OpenAsync(CoordinatorClient client, string id, CancellationToken cancellation = default)
    {
        var reading = new RecordingReading(client, id, cancellation);
        var first = await reading.NextAsync(cancellation);
        reading.Info = first?.Info ?? throw new CrashcartException(FailureReason.Unavailable, "The coordinator did not say what it sends; it is of another version.");
        return reading;
    }

    /// <summary>The next bytes; empty at the end.</summary>
    /// <exception cref="CrashcartException">The coordinator does not send any more.</exception>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellation = default)
    {
        if (await NextAsync(cancellation) is not { } part)
            return default;
        _hash.AppendData(part.Data.Span);
        return part.Data.Memory;
    }

    /// <summary>Its lines, without their ends. What has no end is the torn last line of an unfinished one, and is left out.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var begun = new MemoryStream();
        while (await ReadAsync(cancellation) is { IsEmpty: false } read)
        {
            for (int end; (end = read.Span.IndexOf((byte)'\n')) >= 0; read = read[(end + 1)..])
            {
                begun.Write(read.Span[..end]);
                yield return begun.ToArray();
                begun.SetLength(0);
            }

            begun.Write(read.Span);
        }
    }

    public void Dispose()
    {
        _call.Dispose();
        _hash.Dispose();
    }

    private async Task<RecordingPart?> NextAsync(CancellationToken cancellation)
    {
        try
        {
            return await _call.ResponseStream.MoveNext(cancellation) ? _call.ResponseStream.Current : null;
        }
        catch (RpcException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (RpcException e)
        {
            throw _client.Explain(e);
        }
    }
}
