using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>The coordinator's end of one session's call.</summary>
internal sealed class ScriptedCalls : ISessionStreams, ISessionCall
{
    private readonly TaskCompletionSource _broken = new();

    public NodeException? Refusal { get; init; }

    /// <summary>Whether the coordinator reads what the tool writes; when it does not, the exit status never gets out.</summary>
    public bool Reads { get; init; } = true;

    public byte[] Ticket { get; private set; } = [];

    public int? ExitCode { get; private set; }

    public SessionFailure? Failure { get; private set; }

    /// <summary>The tool runs and its bytes flow.</summary>
    public bool IsCarrying { get; private set; }

    public bool IsDisposed { get; private set; }

    public Task<ISessionCall> DialAsync(string endpoint, ReadOnlyMemory<byte> ticket, CancellationToken cancellation)
    {
        Ticket = ticket.ToArray();
        return Refusal is { } reason ? Task.FromException<ISessionCall>(reason) : Task.FromResult<ISessionCall>(this);
    }

    public async Task CarryAsync(ITool tool)
    {
        IsCarrying = true;
        var ended = await Task.WhenAny(Reads ? tool.Exited : _broken.Task, _broken.Task);
        await ended;
        ExitCode = await tool.Exited;
    }

    /// <summary>What was relayed, once it was.</summary>
    public List<NodeFrame> Relayed { get; } = [];

    public async Task RelayAsync(string endpoint, ReadOnlyMemory<byte> ticket, IAsyncEnumerable<NodeFrame> frames, CancellationToken cancellation)
    {
        Ticket = ticket.ToArray();
        await foreach (var frame in frames)
            Relayed.Add(frame);
    }

    public string Why { get; private set; } = "";

    /// <summary>What goes out in place of the exit status.</summary>
    public SessionFailure? EndsAs { get; private set; }

    public void SayWhy(string why) => Why = why;

    public void EndAs(SessionFailure failure) => EndsAs = failure;

    public Task FailAsync(SessionFailure failure)
    {
        Failure = failure;
        return Reads ? Task.CompletedTask : _broken.Task;
    }

    public void Break() =>
        _broken.TrySetException(new NodeException(NodeFailure.Failed, "The coordinator closed the call."));

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        Break();
        return default;
    }
}
