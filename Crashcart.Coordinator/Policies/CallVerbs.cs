using Crashcart.Actors.Policies;

namespace Crashcart.Coordinator.Policies;

/// <summary>Which verbs of the policy each call of the clients' API is about.</summary>
internal static class CallVerbs
{
    private static readonly Dictionary<string, PolicyVerb[]> Verbs = new()
    {
        ["/crashcart.api.Fleet/ListNodes"] = [PolicyVerb.Nodes],
        ["/crashcart.api.Fleet/ListContainers"] = [PolicyVerb.List],
        ["/crashcart.api.Fleet/Run"] = [PolicyVerb.Exec],
        ["/crashcart.api.Fleet/SignalRun"] = [PolicyVerb.Exec],
        ["/crashcart.api.Fleet/CordonNode"] = [PolicyVerb.Cordon],
        ["/crashcart.api.Images/Push"] = [PolicyVerb.Push],
        ["/crashcart.api.Images/ListImages"] = [PolicyVerb.Images],
        ["/crashcart.api.Images/RemoveImage"] = [PolicyVerb.Remove],
        ["/crashcart.api.Leases/ListLeases"] = [PolicyVerb.List],
        ["/crashcart.api.Leases/Mount"] = [PolicyVerb.Mount],
        ["/crashcart.api.Leases/Unmount"] = [PolicyVerb.Unmount],
        ["/crashcart.api.Leases/Kill"] = [PolicyVerb.Kill, PolicyVerb.Exec],
        ["/crashcart.api.Runs/ListRuns"] = [PolicyVerb.List, PolicyVerb.Exec],
        ["/crashcart.api.Runs/RemoveRun"] = [PolicyVerb.Kill, PolicyVerb.Exec],
        ["/crashcart.api.Audit/ListAudit"] = [PolicyVerb.Audit],
        ["/crashcart.api.Recordings/ListRecordings"] = [PolicyVerb.Recordings],
        ["/crashcart.api.Recordings/ReadRecording"] = [PolicyVerb.Recordings],
        ["/crashcart.api.Policies/Explain"] = [PolicyVerb.Explain],
    };

    public static IEnumerable<string> Calls => Verbs.Keys;

    /// <param name="method">/PACKAGE.SERVICE/METHOD</param>
    /// <returns>Whoever may do one of these may call it; whoever may run tools may see to his own runs. Empty: nobody has decided.</returns>
    public static IReadOnlyList<PolicyVerb> Of(string method) => Verbs.GetValueOrDefault(method) ?? [];
}
