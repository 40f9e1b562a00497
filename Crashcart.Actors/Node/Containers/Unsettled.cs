namespace Crashcart.Actors.Node.Containers;

/// <summary>What has been announced and is not known yet: runtimes' first answers, and containers that something happened to.</summary>
internal sealed class Unsettled
{
    private readonly HashSet<string> _silent = [];
    private readonly Dictionary<ContainerId, string> _touched = [];

    public bool Any => _silent.Count > 0 || _touched.Count > 0;

    /// <summary>A runtime was asked for the first time.</summary>
    public void Expect(string runtime) => _silent.Add(runtime);

    /// <summary>A runtime told everything, or that it cannot.</summary>
    public void Settle(string runtime)
    {
        _silent.Remove(runtime);
        foreach (var id in _touched.Where(t => t.Value == runtime).Select(t => t.Key).ToList())
            _touched.Remove(id);
    }

    public void Touch(string runtime, ContainerId id) => _touched[id] = runtime;

    public void Settle(ContainerId id) => _touched.Remove(id);
}
