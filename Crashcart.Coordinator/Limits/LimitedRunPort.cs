using System.Collections.Concurrent;
using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Limits;

/// <summary>The port of a user's run, which counts as one of his until it is disposed, and its sessions with it.</summary>
internal sealed class LimitedRunPort : IRunPort, IDisposable
{
    private readonly ConcurrentDictionary<int, IDisposable> _sessions = new();
    private readonly IRunPort _port;
    private readonly UserUsage _usage;
    private readonly string? _user;
    private readonly IDisposable _run;

    /// <param name="user">As in <see cref="UserUsage.Take"/>.</param>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: he has as many runs as he may.</exception>
    public LimitedRunPort(IRunPort port, UserUsage usage, string? user)
    {
        _port = port;
        _usage = usage;
        _user = user;
        _run = usage.Take(user, Limit.Runs, out string problem) ?? throw new RpcException(new Status(StatusCode.ResourceExhausted, problem));
    }

    public Task AdmitAsync(int number, RunTarget target, StartSession order)
    {
        if (_usage.Take(_user, Limit.Sessions, out string problem) is not { } place)
            return Task.FromException(new RpcException(new Status(StatusCode.ResourceExhausted, problem), problem));
        _sessions[number] = place;
        return _port.AdmitAsync(number, target, order);
    }

    public StreamTicket Open(int number, string node) => _port.Open(number, node);

    public void Close(int target)
    {
        _port.Close(target);
        if (_sessions.TryRemove(target, out IDisposable? place))
            place.Dispose();
    }

    public Task<WantedImage?> DefaultImageAsync() => _port.DefaultImageAsync();

    public void Tell(RunEvent happened) => _port.Tell(happened);

    /// <summary>Of a run that goes on without its client.</summary>
    public async Task DisposeAfterAsync(IActorRef run)
    {
        await run.WatchAsync();
        Dispose();
    }

    public void Dispose()
    {
        foreach (IDisposable place in _sessions.Values)
            place.Dispose();
        _run.Dispose();
    }
}
