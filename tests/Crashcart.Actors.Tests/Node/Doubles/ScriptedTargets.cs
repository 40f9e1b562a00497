using System.Collections.Concurrent;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>Every process can be opened, unless its PID is among the gone; each opening is a target of its own.</summary>
internal sealed class ScriptedTargets : ITargets
{
    private readonly ConcurrentDictionary<int, ConcurrentBag<ScriptedTarget>> _opened = new();

    public ConcurrentDictionary<int, NodeException> Refused { get; } = new();

    public IEnumerable<ScriptedTarget> Opened => _opened.Values.SelectMany(t => t);

    public Task<ITarget> OpenAsync(ContainerId container, int pid, CancellationToken cancellation)
    {
        if (Refused.TryGetValue(pid, out var reason))
            return Task.FromException<ITarget>(reason);
        var target = new ScriptedTarget();
        _opened.GetOrAdd(pid, _ => []).Add(target);
        return Task.FromResult<ITarget>(target);
    }

    /// <summary>The process exits: whoever opened it sees that, and nobody can open it any more.</summary>
    public void Exit(int pid)
    {
        Refused[pid] = new NodeException(NodeFailure.TargetGone, $"Process {pid} is gone.");
        foreach (var target in _opened.GetValueOrDefault(pid) ?? [])
            target.Exit();
    }
}
