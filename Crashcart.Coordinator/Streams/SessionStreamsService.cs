using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Identity;
using Google.Protobuf;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Streams;

/// <summary>Answers nodes that dial with a session's ticket, and carries the session's bytes between them and the run's client.</summary>
internal sealed class SessionStreamsService(StreamTickets tickets, ILogger<SessionStreamsService> log) : SessionStreams.SessionStreamsBase
{
    public override async Task Attach(
        IAsyncStreamReader<NodeFrame> fromNode, IServerStreamWriter<CoordinatorFrame> toNode, ServerCallContext context)
    {
        SessionPipe session = await TakeTicket(fromNode, context);
        using (session)
        using (var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, session.Closed))
        {
            IActorRef run = await session.Run.Run;
            Task input = CarryInput(session, toNode, end.Token);
            bool exited = false;
            try
            {
                exited = await CarryOutput(session, run, fromNode, end.Token);
            }
            catch (OperationCanceledException) when (session.Closed.IsCancellationRequested)
            {
                // Its run wants no more of it.
            }
            catch (Exception broken) when (broken is IOException or OperationCanceledException or RpcException)
            {
                StreamLog.Broke(log, session.Id, broken.Message);
            }
            if (!exited)
                run.Tell(new Run.StreamLost(session.Target));
            await end.CancelAsync();
            await input;
            if (!exited)
                throw new RpcException(new Status(StatusCode.Cancelled, "The session is over."));
        }
    }

    private async Task<SessionPipe> TakeTicket(IAsyncStreamReader<NodeFrame> fromNode, ServerCallContext context)
    {
        ByteString? secret = await FirstMessage.ComesAsync(fromNode, context.CancellationToken)
            && fromNode.Current.FrameCase == NodeFrame.FrameOneofCase.Ticket
                ? fromNode.Current.Ticket
                : null;
        if (secret is not null && tickets.Take(secret, NodeOf(context)) is { } session)
            return session;
        StreamLog.Refused(log, PeerCheck.Describe(context.GetHttpContext()));
        throw new RpcException(new Status(StatusCode.PermissionDenied, "The stream's ticket is unknown, used, void, or another node's."));
    }

    private static string? NodeOf(ServerCallContext context) =>
        context.GetHttpContext().Connection.ClientCertificate is { } certificate ? Peer.Of(certificate)?.Name : null;

    /// <returns>True when the exit frame came.</returns>
    private static async Task<bool> CarryOutput(
        SessionPipe session, IActorRef run, IAsyncStreamReader<NodeFrame> fromNode, CancellationToken end)
    {
        while (await fromNode.MoveNext(end))
        {
            NodeFrame frame = fromNode.Current;
            switch (frame.FrameCase)
            {
                case NodeFrame.FrameOneofCase.Began:
                    run.Tell(new Run.StreamBegan(session.Target));
                    await session.Announced.WaitAsync(end);
                    break;
                case NodeFrame.FrameOneofCase.Stdout:
                    await session.SendOutput(stderr: false, frame.Stdout, end);
                    break;
                case NodeFrame.FrameOneofCase.Stderr:
                    await session.SendOutput(stderr: true, frame.Stderr, end);
                    break;
                case NodeFrame.FrameOneofCase.Exit:
                    run.Tell(new Run.StreamExited(session.Target, Outcome(frame.Exit)));
                    return true;
                default:
                    return false;
            }
        }
        return false;
    }

    private static SessionOutcome Outcome(SessionExit exit) => exit.OutcomeCase switch
    {
        SessionExit.OutcomeOneofCase.Failure => new SessionOutcome.Failure(exit.Failure.ExitCode, exit.Failure.Message),
        SessionExit.OutcomeOneofCase.GoesOn => new SessionOutcome.GoesOn(),
        _ => new SessionOutcome.Exited(exit.ExitCode, exit.Why),
    };

    private static async Task CarryInput(SessionPipe session, IServerStreamWriter<CoordinatorFrame> toNode, CancellationToken end)
    {
        try
        {
            while (true)
                await toNode.WriteAsync(await session.Next(end), end);
        }
        catch (Exception over) when (over is OperationCanceledException or IOException or InvalidOperationException or RpcException)
        {
            // The session is over, one way or another; the output side tells how.
        }
    }
}

internal static partial class StreamLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a session stream from {Peer}: its ticket is unknown, used, void, or another node's")]
    public static partial void Refused(ILogger log, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "The stream of session {Session} broke before its exit frame: {Reason}")]
    public static partial void Broke(ILogger log, SessionId session, string reason);
}
