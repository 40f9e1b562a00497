using System.Collections.Concurrent;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>A runtime whose containers, events and outages the spec scripts.</summary>
internal sealed class ScriptedRuntime : IContainerRuntime
{
    private readonly ConcurrentDictionary<ContainerId, Container> _running = new();
    private readonly ConcurrentQueue<TaskCompletionSource> _heldInspections = new();
    private TaskCompletionSource _connection = new();
    private Action<ContainerId> _changed = _ => { };
    private int _snapshots;

    public string Name { get; init; } = "docker";

    public string? Problem { get; set; }

    public bool HoldsInspections { get; set; }

    public int InspectionsHeld => _heldInspections.Count;

    public int Snapshots => Volatile.Read(ref _snapshots);

    public bool IsWatched { get; private set; }

    public Container Run(Container container, bool tell = true)
    {
        _running[container.Id] = container;
        if (tell)
            _changed(container.Id);
        return container;
    }

    public void Stop(ContainerId id, bool tell = true)
    {
        _running.TryRemove(id, out _);
        if (tell)
            _changed(id);
    }

    public void Disconnect()
    {
        IsWatched = false;
        Interlocked.Exchange(ref _connection, new TaskCompletionSource()).SetResult();
    }

    public void AnswerInspections()
    {
        while (_heldInspections.TryDequeue(out var held))
            held.SetResult();
    }

    public Task<RuntimeSnapshot> SnapshotAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _snapshots);
        return Problem is { } problem
            ? Task.FromException<RuntimeSnapshot>(new NodeException(NodeFailure.Failed, problem))
            : Task.FromResult(new RuntimeSnapshot("20.10", "now", [.. _running.Values]));
    }

    public Task<IReadOnlyList<ContainerId>> ListAsync(CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<ContainerId>>([.. _running.Keys]);

    public Task WatchAsync(string mark, Action<ContainerId> changed, CancellationToken cancellation)
    {
        _changed = changed;
        IsWatched = true;
        return _connection.Task;
    }

    public async Task<Container?> InspectAsync(ContainerId id, CancellationToken cancellation)
    {
        if (HoldsInspections)
        {
            var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _heldInspections.Enqueue(held);
            await held.Task;
        }

        return _running.GetValueOrDefault(id);
    }
}
