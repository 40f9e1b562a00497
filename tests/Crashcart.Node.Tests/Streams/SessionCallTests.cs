using System.Security.Cryptography;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Grpc.Core;
using NodeStreams = Crashcart.Node.Streams.SessionStreams;

namespace Crashcart.Node.Tests.Streams;

public sealed class SessionCallTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly byte[] Ticket = [1, 2, 3];

    private readonly NodeStreams _streams = new(identity: null);
    private readonly PipedTool _tool = new();
    private readonly List<NodeFrame> _frames = [];

    public void Dispose() => _streams.Dispose();

    [Fact]
    public async Task Ticket_comes_first_and_exit_last()
    {
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        await _tool.Writes.WriteAsync("out"u8.ToArray());
        await _tool.WritesErrors.WriteAsync("err"u8.ToArray());
        _tool.Exit(3);
        await carry.WaitAsync(Patience);

        Assert.Equal(Ticket, _frames[0].Ticket.ToByteArray());
        Assert.NotNull(_frames[1].Began);
        Assert.Equal("out", Text(f => f.Stdout));
        Assert.Equal("err", Text(f => f.Stderr));
        Assert.Equal(3, _frames[^1].Exit.ExitCode);
        Assert.Single(_frames, f => f.Exit is not null);
    }

    [Theory]
    [InlineData("", "Its container exited.")]
    [InlineData("Node alpha is being drained.", "Node alpha is being drained.")]
    public async Task Why_the_tool_ended_goes_with_its_status_and_the_nodes_own_wish_first(string wish, string told)
    {
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);
        _tool.WhyExited = "Its container exited.";
        call.SayWhy(wish);
        _tool.Exit(137);
        await carry.WaitAsync(Patience);
        Assert.Equal((137, told), (_frames[^1].Exit.ExitCode, _frames[^1].Exit.Why));
    }

    [Fact]
    public async Task Every_byte_arrives_as_it_was()
    {
        var sent = RandomNumberGenerator.GetBytes(5_000_000);
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        await _tool.Writes.WriteAsync(sent);
        _tool.Exit(0);
        await carry.WaitAsync(Patience);

        Assert.Equal(sent, _frames.SelectMany(f => f.Stdout.ToByteArray()));
    }

    [Fact]
    public async Task Neither_output_starves_the_other()
    {
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        await Task.WhenAll(_tool.Writes.WriteAsync(new byte[4 << 20]).AsTask(), _tool.WritesErrors.WriteAsync(new byte[4 << 20]).AsTask());
        _tool.Exit(0);
        await carry.WaitAsync(Patience);

        var firstHalf = _frames.Take(_frames.Count / 2).ToList();
        Assert.True(firstHalf.Count(f => f.Stdout.Length > 0) > firstHalf.Count / 5);
        Assert.True(firstHalf.Count(f => f.Stderr.Length > 0) > firstHalf.Count / 5);
    }

    [Fact]
    public async Task A_coordinator_that_does_not_read_stalls_the_tool_and_nothing_grows()
    {
        var read = new TaskCompletionSource();
        await using var coordinator = await TestCoordinator.StartAsync(async (node, answer, lost) =>
        {
            await read.Task.WaitAsync(lost);
            await ReadAllAsync(node, answer, lost);
        });
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        long written = 0;
        var writing = Task.Run(async () =>
        {
            for (var chunk = new byte[32768]; written < 64 << 20; Interlocked.Add(ref written, chunk.Length))
                await _tool.Writes.WriteAsync(chunk);
        });
        Assert.InRange(await SettledAsync(() => Interlocked.Read(ref written)), 1, 2 << 20);

        read.SetResult();
        await writing.WaitAsync(Patience);
        _tool.Exit(0);
        await carry.WaitAsync(Patience);
    }

    [Fact]
    public async Task Input_and_sizes_reach_the_tool_in_order()
    {
        await using var coordinator = await TestCoordinator.StartAsync(async (node, answer, lost) =>
        {
            await answer.WriteAsync(new CoordinatorFrame { Resize = new WindowSize { Rows = 40, Columns = 120 } }, lost);
            await answer.WriteAsync(new CoordinatorFrame { Stdin = ByteString.CopyFromUtf8("hello ") }, lost);
            await answer.WriteAsync(new CoordinatorFrame { Stdin = ByteString.CopyFromUtf8("tool") }, lost);
            await answer.WriteAsync(new CoordinatorFrame { StdinClosed = new StdinClosed() }, lost);
            await answer.WriteAsync(new CoordinatorFrame { Stdin = ByteString.CopyFromUtf8("too late") }, lost);
            await ReadAllAsync(node, answer, lost);
        });
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        Assert.Equal("hello tool", await new StreamReader(_tool.Reads).ReadToEndAsync().WaitAsync(Patience));
        _tool.Exit(0);
        await carry.WaitAsync(Patience);

        Assert.Equal((40, 120), Assert.Single(_tool.Sizes));
    }

    [Fact]
    public async Task A_call_that_the_coordinator_ends_early_is_broken()
    {
        await using var coordinator = await TestCoordinator.StartAsync(async (node, _, lost) =>
        {
            await node.MoveNext(lost);
            await node.MoveNext(lost);
            throw new RpcException(new Status(StatusCode.Cancelled, "The session is over."));
        });
        await using var call = await DialAsync(coordinator);

        var error = await Assert.ThrowsAsync<NodeException>(() => call.CarryAsync(_tool).WaitAsync(Patience));

        Assert.Contains("The session is over.", error.Message);
        Assert.Contains(coordinator.Endpoint, error.Message);
    }

    [Fact]
    public async Task A_coordinator_that_goes_away_breaks_the_call()
    {
        var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        await coordinator.DisposeAsync();

        await Assert.ThrowsAsync<NodeException>(() => carry.WaitAsync(Patience));
    }

    [Fact]
    public async Task Disposing_the_call_breaks_it()
    {
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        await call.DisposeAsync();

        await Assert.ThrowsAsync<NodeException>(() => carry.WaitAsync(Patience));
    }

    [Fact]
    public async Task The_reason_why_there_is_no_tool_is_the_exit()
    {
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        await using var call = await DialAsync(coordinator);
        var failure = new SessionFailure { ExitCode = 127, Message = "There is no tool nosuch." };

        await call.FailAsync(failure).WaitAsync(Patience);

        Assert.Equal(failure, _frames[^1].Exit.Failure);
    }

    [Fact]
    public async Task A_tool_that_was_lost_is_told_as_a_failure()
    {
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync);
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        _tool.Lose(new NodeException(NodeFailure.Failed, "The tool's guardian was killed."));
        await carry.WaitAsync(Patience);

        Assert.Equal("The tool's guardian was killed.", _frames[^1].Exit.Failure.Message);
    }

    [Fact]
    public async Task A_unix_socket_serves_as_well()
    {
        var socket = Path.Combine(Path.GetTempPath(), $"crashcart-{Guid.NewGuid():N}.sock");
        await using var coordinator = await TestCoordinator.StartAsync(ReadAllAsync, socket);
        await using var call = await DialAsync(coordinator);
        var carry = call.CarryAsync(_tool);

        _tool.Exit(0);
        await carry.WaitAsync(Patience);

        Assert.Equal(0, _frames[^1].Exit.ExitCode);
    }

    [Fact]
    public async Task Many_sessions_run_at_one_time()
    {
        const int Sessions = 150;
        var exits = 0;
        await using var coordinator = await TestCoordinator.StartAsync(async (node, _, lost) =>
        {
            while (await node.MoveNext(lost))
                if (node.Current.Exit is not null)
                    Interlocked.Increment(ref exits);
        });
        var tools = Enumerable.Range(0, Sessions).Select(_ => new PipedTool()).ToList();
        var calls = await Task.WhenAll(tools.Select(_ => DialAsync(coordinator)));
        var carries = tools.Zip(calls).Select(pair => pair.Second.CarryAsync(pair.First)).ToList();

        tools.ForEach(tool => tool.Exit(0));
        await Task.WhenAll(carries).WaitAsync(Patience);

        Assert.Equal(Sessions, exits);
        foreach (var call in calls)
            await call.DisposeAsync();
    }

    [Theory]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("unix:/nonexistent/streams.sock")]
    public async Task Nobody_there_is_told_with_the_endpoint(string endpoint)
    {
        var error = await Assert.ThrowsAsync<NodeException>(() => _streams.DialAsync(endpoint, Ticket, default).WaitAsync(Patience));

        Assert.Contains(endpoint, error.Message);
    }

    // The value when it has not changed for a while.
    private static async Task<long> SettledAsync(Func<long> read)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(300));
        long before;
        do
        {
            before = read();
            await tick.WaitForNextTickAsync();
        }
        while (before == 0 || read() != before);
        return before;
    }

    private Task<ISessionCall> DialAsync(TestCoordinator coordinator) => _streams.DialAsync(coordinator.Endpoint, Ticket, default);

    private async Task ReadAllAsync(IAsyncStreamReader<NodeFrame> node, IServerStreamWriter<CoordinatorFrame> answer, CancellationToken lost)
    {
        while (await node.MoveNext(lost))
            _frames.Add(node.Current);
    }

    private string Text(Func<NodeFrame, ByteString> bytes) => string.Concat(_frames.Select(f => bytes(f).ToStringUtf8()));
}
