using System.Text;
using System.Threading.Channels;
using Akka.Actor;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Tests.Host;
using Crashcart.Node.Tests.Streams;
using Google.Protobuf;

namespace Crashcart.Node.Tests;

/// <summary>One session of a node, from the side of its coordinator.</summary>
internal sealed class PlayedSession : IAsyncDisposable
{
    private readonly Channel<CoordinatorFrame> _toNode = Channel.CreateUnbounded<CoordinatorFrame>();
    private readonly TaskCompletionSource _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SessionOver> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _errors = new();
    private TestCoordinator? _coordinator;

    private PlayedSession()
    {
    }

    public string Id { get; } = $"session-{Guid.NewGuid():N}";

    public string Output => Encoding.UTF8.GetString(_output.ToArray());

    public string Errors => Encoding.UTF8.GetString(_errors.ToArray());

    public SessionExit? Exit { get; private set; }

    public static async Task<PlayedSession> StartAsync(ActorSystem system, ICanTell node, string container, ToolDescription tool)
    {
        var session = new PlayedSession();
        session._coordinator = await TestCoordinator.StartAsync(async (frames, answer, lost) =>
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(lost);
            var sending = Task.Run(
                async () =>
                {
                    await foreach (var frame in session._toNode.Reader.ReadAllAsync(ended.Token))
                        await answer.WriteAsync(frame, ended.Token);
                },
                CancellationToken.None);
            while (await frames.MoveNext(lost))
                session.OnFrame(frames.Current);
            await ended.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        var requester = system.ActorOf(Props.Create(() => new Requester(session._over)));
        var start = new StartSession
        {
            SessionId = session.Id,
            RunId = "run-test",
            ContainerId = container,
            Tool = tool,
            StreamEndpoint = session._coordinator.Endpoint,
            Ticket = ByteString.CopyFromUtf8("ticket"),
            Origin = new Origin { User = "user alice", From = "192.0.2.1", Reason = "ticket 7" },
        };
        node.Tell(start, requester);
        return session;
    }

    public Task BeganAsync() => _began.Task.WaitAsync(Eventually.Patience);

    public Task<SessionOver> OverAsync() => _over.Task.WaitAsync(Eventually.Patience);

    public ValueTask SendAsync(CoordinatorFrame frame) => _toNode.Writer.WriteAsync(frame);

    public ValueTask DisposeAsync() => _coordinator!.DisposeAsync();

    private void OnFrame(NodeFrame frame)
    {
        switch (frame.FrameCase)
        {
            case NodeFrame.FrameOneofCase.Began:
                _began.SetResult();
                break;
            case NodeFrame.FrameOneofCase.Stdout:
                _output.Write(frame.Stdout.Span);
                break;
            case NodeFrame.FrameOneofCase.Stderr:
                _errors.Write(frame.Stderr.Span);
                break;
            case NodeFrame.FrameOneofCase.Exit:
                Exit = frame.Exit;
                break;
        }
    }

    private sealed class Requester : ReceiveActor
    {
        public Requester(TaskCompletionSource<SessionOver> over) => Receive<SessionOver>(over.SetResult);
    }
}
