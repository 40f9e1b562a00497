using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Event;
using Akka.Remote.Transport;
using Google.Protobuf;

namespace Crashcart.Actors.Remoting;

/// <summary>Owns one connection with a member. A frame is its length, four bytes little-endian, and that many bytes.</summary>
internal sealed class TlsConnection : AssociationHandle
{
    private const int HeaderSize = sizeof(int);

    /// <summary>What may wait to be sent, in bytes; Akka keeps what is beyond, and tries again.</summary>
    private const int SendRoom = 4 << 20;

    /// <summary>How much is gathered before it is encrypted as one.</summary>
    private const int BatchSize = 64 << 10;

    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(1);

    private readonly SslStream _tls;
    private readonly int _maxFrame;
    private readonly ILoggingAdapter _log;
    private readonly Channel<ByteString> _outgoing = Channel.CreateUnbounded<ByteString>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FrameGate _gate;
    private readonly Task _sending;
    private int _waiting;

    /// <param name="tls">After its handshake.</param>
    /// <param name="nameOf">Whom a certificate is for.</param>
    public TlsConnection(Address local, Address peer, SslStream tls, Func<X509Certificate2, MemberName> nameOf, int maxFrame, ILoggingAdapter log)
        : base(local, peer)
    {
        _tls = tls;
        _maxFrame = maxFrame;
        _log = log;
        Peer = (X509Certificate2)tls.RemoteCertificate!;
        _gate = new FrameGate(nameOf(Peer), Peer);
        _sending = SendAsync();
        _ = ReceiveAsync();
    }

    public X509Certificate2 Peer { get; }

    /// <summary>Of the clock that <see cref="Stopwatch"/> reads.</summary>
    public long Began { get; } = Stopwatch.GetTimestamp();

    public Task Closed => _closed.Task;

    public override bool Write(ByteString payload)
    {
        if (payload.Length > _maxFrame)
        {
            _log.Error("A message of {0} bytes to {1} is longer than the {2} that members take; it is not sent.", payload.Length, RemoteAddress, _maxFrame);
            return true;
        }
        if (Volatile.Read(ref _waiting) > SendRoom)
            return false;
        Interlocked.Add(ref _waiting, payload.Length);
        return _outgoing.Writer.TryWrite(payload);
    }

    [Obsolete("Akka calls it for the method with a reason.")]
    public override void Disassociate() => _ = CloseAsync();

    /// <summary>What was written before is sent, when the peer takes it soon.</summary>
    public async Task CloseAsync()
    {
        _outgoing.Writer.TryComplete();
        await Task.WhenAny(_sending, Task.Delay(ClosePatience)).ConfigureAwait(false);
        End();
    }

    public override bool Equals(object obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    private void End()
    {
        _outgoing.Writer.TryComplete();
        _tls.Dispose();
        if (_closed.TrySetResult())
            ReadHandlerSource.Task.ContinueWith(
                listener => listener.Result.Notify(new Disassociated(DisassociateInfo.Unknown)),
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
    }

    private async Task SendAsync()
    {
        try
        {
            var buffer = new ArrayBufferWriter<byte>(BatchSize);
            while (await _outgoing.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                while (buffer.WrittenCount < BatchSize && _outgoing.Reader.TryRead(out ByteString? payload))
                    Frame(buffer, payload);
                await _tls.WriteAsync(buffer.WrittenMemory).ConfigureAwait(false);
                buffer.ResetWrittenCount();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            End();
        }
    }

    private void Frame(ArrayBufferWriter<byte> buffer, ByteString payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(buffer.GetSpan(HeaderSize), payload.Length);
        buffer.Advance(HeaderSize);
        buffer.Write(payload.Span);
        Interlocked.Add(ref _waiting, -payload.Length);
    }

    private async Task ReceiveAsync()
    {
        try
        {
            IHandleEventListener listener = await ReadHandlerSource.Task.WaitAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(false);
            PipeReader reader = PipeReader.Create(_tls, new StreamPipeReaderOptions(bufferSize: BatchSize, leaveOpen: true));
            while (true)
            {
                ReadResult read = await reader.ReadAsync().ConfigureAwait(false);
                ReadOnlySequence<byte> rest = read.Buffer;
                while (TryTake(ref rest, out ByteString payload))
                {
                    _gate.Check(payload);
                    listener.Notify(new InboundPayload(payload));
                }

                if (read.IsCompleted)
                    break;
                reader.AdvanceTo(rest.Start, rest.End);
            }
        }
        catch (InvalidDataException e)
        {
            _log.Warning("The connection with {0} ({1}) is ended: {2}", RemoteAddress, Peer.Subject, e.Message);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException or TimeoutException)
        {
            _log.Debug("The connection with {0} ended: {1}", RemoteAddress, e.GetBaseException().Message);
        }
        End();
    }

    /// <exception cref="InvalidDataException">A length that no member sends.</exception>
    private bool TryTake(ref ReadOnlySequence<byte> rest, out ByteString payload)
    {
        payload = ByteString.Empty;
        var reader = new SequenceReader<byte>(rest);
        if (!reader.TryReadLittleEndian(out int length))
            return false;
        if (length < 0 || length > _maxFrame)
            throw new InvalidDataException($"it sent a frame of {(uint)length} bytes, where {_maxFrame} is the most");
        if (reader.Remaining < length)
            return false;
        payload = UnsafeByteOperations.UnsafeWrap(rest.Slice(HeaderSize, length).ToArray());
        rest = rest.Slice(HeaderSize + length);
        return true;
    }
}
