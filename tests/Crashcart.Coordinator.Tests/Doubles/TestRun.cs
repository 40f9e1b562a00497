using Crashcart.Api;
using Google.Protobuf;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>One run, as its client sees it.</summary>
internal sealed class TestRun : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly AsyncDuplexStreamingCall<RunInput, RunEvent> _call;

    private readonly Task _requested;
    private Task? _completed;

    private TestRun(AsyncDuplexStreamingCall<RunInput, RunEvent> call, RunRequest request)
    {
        _call = call;
        _requested = call.RequestStream.WriteAsync(new RunInput { Start = request });
    }

    public static TestRun Start(Fleet.FleetClient client, RunRequest request, CancellationToken cancellation) =>
        new(client.Run(cancellationToken: cancellation), request);

    public static RunRequest In(string container, bool stdin = false) =>
        new() { Container = container, Tool = new Tool { Argv = { "tool" }, Stdin = stdin } };

    public static RunRequest Where(string selector, uint parallel = 0) =>
        new() { Selection = new Selection { Selector = selector }, Tool = new Tool { Argv = { "tool" } }, Parallel = parallel };

    public Task SendAsync(ReadOnlySpan<byte> stdin) => SendAsync(new RunInput { Stdin = ByteString.CopyFrom(stdin) });

    public async Task SendAsync(RunInput input)
    {
        await _requested;
        await _call.RequestStream.WriteAsync(input);
    }

    /// <summary>Input ends; again, it changes nothing.</summary>
    public Task CompleteAsync() => _completed ??= _call.RequestStream.CompleteAsync();

    public async Task<RunEvent> NextAsync() => await _call.ResponseStream.MoveNext().WaitAsync(Patience)
        ? _call.ResponseStream.Current
        : throw new InvalidOperationException("The run's events are over.");

    public async Task<RunEvent> NextAsync(RunEvent.EventOneofCase expected)
    {
        var happened = await NextAsync();
        Assert.Equal(expected, happened.EventCase);
        return happened;
    }

    public async Task<RunStarted> StartedAsync() => (await NextAsync(RunEvent.EventOneofCase.Started)).Started;

    public async Task<SessionEnded> SessionEndedAsync() => (await NextAsync(RunEvent.EventOneofCase.SessionEnded)).SessionEnded;

    /// <summary>The last event, with nothing after it.</summary>
    public async Task EndedAsync()
    {
        await NextAsync(RunEvent.EventOneofCase.Ended);
        await CompleteAsync();
        Assert.False(await _call.ResponseStream.MoveNext().WaitAsync(Patience));
        Assert.Equal(StatusCode.OK, _call.GetStatus().StatusCode);
    }

    public async Task<Status> FailureAsync() => (await Assert.ThrowsAsync<RpcException>(NextAsync)).Status;

    public void Dispose() => _call.Dispose();
}
