using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests;

/// <summary>Nodes that send what no node sends; always the same.</summary>
[Collection(nameof(SmallFleet))]
public sealed class FrameFuzzTests(SmallFleet fleet)
{
    private static readonly Marshaller<byte[]> AsIs = Marshallers.Create(bytes => bytes, bytes => bytes);

    private static readonly Method<byte[], byte[]> Attach = new(MethodType.DuplexStreaming, "crashcart.stream.SessionStreams", "Attach", AsIs, AsIs);

    private static readonly byte[][] Real =
    [
        .. new NodeFrame[]
        {
            new() { Ticket = ByteString.CopyFrom(new byte[32]) },
            new() { Began = new SessionBegan() },
            new() { Stdout = ByteString.CopyFromUtf8("to the client") },
            new() { Stderr = ByteString.CopyFromUtf8("and this, too") },
            new() { Exit = new SessionExit { ExitCode = 3, Why = "It was told to." } },
            new() { Exit = new SessionExit { Failure = new SessionFailure { ExitCode = 126, Message = "It is no program." } } },
        }.Select(frame => frame.ToByteArray()),
    ];

    private readonly Random _random = new(20261125);

    [Fact]
    public async Task Whatever_a_node_sends_its_session_ends_and_the_run_is_told()
    {
        const int Cases = 250;
        for (int i = 0; i < Cases; i++)
        {
            using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
            await run.StartedAsync();
            PlayedSession session = await fleet.Alpha.SessionAsync();
            using GrpcChannel channel = GrpcChannel.ForAddress(session.Start.StreamEndpoint);

            await Send(channel, [new NodeFrame { Ticket = session.Start.Ticket }.ToByteArray(), .. Enumerable.Range(0, 1 + _random.Next(8)).Select(_ => Mutated())]);

            while ((await run.NextAsync()).EventCase != RunEvent.EventOneofCase.Ended)
                continue;
            await run.CompleteAsync();
        }
    }

    [Fact]
    public async Task Whatever_comes_in_place_of_a_ticket_attaches_nothing()
    {
        const int Cases = 1000;
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        PlayedSession session = await fleet.Alpha.SessionAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(session.Start.StreamEndpoint);
        for (int i = 0; i < Cases; i++)
            Assert.Contains(await Send(channel, [Mutated()]), new[] { StatusCode.PermissionDenied, StatusCode.InvalidArgument });

        using PlayedStream tool = session.Dial();
        await tool.BeginAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
    }

    /// <returns>How the coordinator ended the call.</returns>
    private static async Task<StatusCode> Send(GrpcChannel channel, IReadOnlyList<byte[]> frames)
    {
        using AsyncDuplexStreamingCall<byte[], byte[]> call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(Attach, null, default);
        try
        {
            foreach (byte[] frame in frames)
                await call.RequestStream.WriteAsync(frame);
            await call.RequestStream.CompleteAsync();
        }
        catch (Exception over) when (over is RpcException or InvalidOperationException)
        {
            // It has ended the call already.
        }

        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (await call.ResponseStream.MoveNext(patience.Token))
                continue;
            return StatusCode.OK;
        }
        catch (RpcException ended)
        {
            return ended.StatusCode;
        }
    }

    private byte[] Mutated()
    {
        byte[] frame = [.. Real[_random.Next(Real.Length)]];
        if (_random.Next(4) == 0)
            frame = frame[.._random.Next(frame.Length)];
        for (int change = _random.Next(5); change > 0 && frame.Length > 0; change--)
            frame[_random.Next(frame.Length)] = (byte)_random.Next(256);
        return frame;
    }
}
