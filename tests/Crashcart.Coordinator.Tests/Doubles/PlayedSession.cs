using System.Threading.Channels;
using Akka.Actor;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A session that a coordinator asked a node for.</summary>
internal sealed class PlayedSession(StartSession start, GrpcChannel? coordinator, IActorRef asker, IActorRef node)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Channel<int> _signals = Channel.CreateUnbounded<int>();

    public StartSession Start => start;

    /// <summary>Completes when the coordinator wants it ended.</summary>
    public Task Ended => _ended.Task.WaitAsync(TimeSpan.FromSeconds(20));

    public void End() => _ended.TrySetResult();

    public void Signal(int signal) => _signals.Writer.TryWrite(signal);

    /// <summary>The next signal that the coordinator passed.</summary>
    public Task<int> NextSignalAsync() => _signals.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>By remoting, to whoever asked for it.</summary>
    public void Tell(IWireMessage message) => asker.Tell(message, node);

    public PlayedStream Dial(ByteString? ticket = null) => new(this, new SessionStreams.SessionStreamsClient(coordinator!).Attach(), ticket ?? start.Ticket);
}

/// <summary>A session's stream, from the node's end.</summary>
internal sealed class PlayedStream : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly AsyncDuplexStreamingCall<NodeFrame, CoordinatorFrame> _call;
    private readonly ByteString _ticket;

    public PlayedStream(PlayedSession session, AsyncDuplexStreamingCall<NodeFrame, CoordinatorFrame> call, ByteString ticket)
    {
        Session = session;
        _call = call;
        _ticket = ticket;
    }

    public PlayedSession Session { get; }

    public async Task BeginAsync()
    {
        await PresentAsync();
        await SendAsync(new NodeFrame { Began = new SessionBegan() });
    }

    public Task PresentAsync() => SendAsync(new NodeFrame { Ticket = _ticket });

    public Task StdoutAsync(ReadOnlyMemory<byte> data) => SendAsync(new NodeFrame { Stdout = UnsafeByteOperations.UnsafeWrap(data) });

    public Task StderrAsync(ReadOnlyMemory<byte> data) => SendAsync(new NodeFrame { Stderr = UnsafeByteOperations.UnsafeWrap(data) });

    /// <summary>The last frame; returns when the coordinator has ended the call.</summary>
    public async Task ExitAsync(int code)
    {
        await SendAsync(new NodeFrame { Exit = new SessionExit { ExitCode = code } });
        await _call.RequestStream.CompleteAsync();
        while (await NextAsync() is not null)
            continue;
        Assert.Equal(StatusCode.OK, _call.GetStatus().StatusCode);
    }

    public Task SendAsync(NodeFrame frame) => _call.RequestStream.WriteAsync(frame);

    /// <summary>From the coordinator; null when it ended the call.</summary>
    public async Task<CoordinatorFrame?> NextAsync() =>
        await _call.ResponseStream.MoveNext().WaitAsync(Patience) ? _call.ResponseStream.Current : null;

    /// <summary>Why the coordinator broke the call.</summary>
    public async Task<StatusCode> BrokenAsync() => (await Assert.ThrowsAsync<RpcException>(async () =>
    {
        while (await NextAsync() is not null)
            continue;
    })).StatusCode;

    /// <summary>Breaks the call, as the end of the node does.</summary>
    public void Dispose() => _call.Dispose();
}
