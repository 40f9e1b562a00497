using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Google.Protobuf;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests.Images;

/// <summary>One push, as its client does it.</summary>
internal sealed class TestPush : IDisposable
{
    private const int Chunk = 64 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly AsyncDuplexStreamingCall<PushInput, PushEvent> _call;

    private TestPush(AsyncDuplexStreamingCall<PushInput, PushEvent> call) => _call = call;

    public static async Task<TestPush> StartAsync(TestCoordinator coordinator, string name, string digest, long size)
    {
        var push = new TestPush(coordinator.Images.Push());
        await push._call.RequestStream.WriteAsync(new PushInput { Start = new PushStart { Name = name, Digest = digest, Size = size } });
        return push;
    }

    public static Task<TestPush> StartAsync(TestCoordinator coordinator, string name, TestImage image) =>
        StartAsync(coordinator, name, image.Digest, image.Bytes.Length);

    /// <summary>The whole of a push.</summary>
    public static async Task<PushDone> RunAsync(TestCoordinator coordinator, string name, TestImage image)
    {
        using var push = await StartAsync(coordinator, name, image);
        await push.SendAsync(image.Bytes.AsMemory((int)await push.OffsetAsync()..));
        return await push.DoneAsync();
    }

    /// <summary>The byte from which on the coordinator wants the image.</summary>
    public async Task<long> OffsetAsync()
    {
        PushEvent happened;
        while ((happened = await NextAsync()).EventCase == PushEvent.EventOneofCase.Waits)
            continue;
        return Assert.IsType<PushReady>(happened.Ready).Offset;
    }

    public async Task SendAsync(ReadOnlyMemory<byte> data)
    {
        for (var at = 0; at < data.Length; at += Chunk)
            await _call.RequestStream.WriteAsync(new PushInput { Data = ByteString.CopyFrom(data.Span[at..Math.Min(at + Chunk, data.Length)]) });
    }

    public Task SendEmptyAsync() => _call.RequestStream.WriteAsync(new PushInput { Data = ByteString.Empty });

    /// <summary>Returns when it is told that it is not its turn.</summary>
    public async Task WaitsAsync() => Assert.Equal(PushEvent.EventOneofCase.Waits, (await NextAsync()).EventCase);

    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    public async Task<PushDone> DoneAsync() => Assert.IsType<PushDone>((await NextAsync()).Done);

    /// <summary>Why the coordinator does not take it.</summary>
    public async Task<Status> RefusedAsync() => (await Assert.ThrowsAsync<RpcException>(NextAsync)).Status;

    /// <summary>Breaks the call, as the end of the client does.</summary>
    public void Dispose() => _call.Dispose();

    private async Task<PushEvent> NextAsync() => await _call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience)
        ? _call.ResponseStream.Current
        : throw new InvalidOperationException("The coordinator has nothing more to say of the push.");
}
