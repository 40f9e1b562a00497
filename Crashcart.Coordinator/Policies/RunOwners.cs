using System.Collections.Concurrent;
using Crashcart.Actors;
using Crashcart.Actors.Policies;

namespace Crashcart.Coordinator.Policies;

/// <summary>Who started the runs of this coordinator that have not ended.</summary>
internal sealed class RunOwners
{
    private readonly ConcurrentDictionary<string, string> _owners = new();

    public void Add(RunId run, PolicySubject owner) => _owners[run.Value] = owner.Name;

    public void Remove(RunId run) => _owners.TryRemove(run.Value, out _);

    /// <summary>A run that nobody has is everybody's: there is nothing to be done to it.</summary>
    public bool Owns(PolicySubject subject, string run) => !_owners.TryGetValue(run, out string? owner) || owner == subject.Name;
}
