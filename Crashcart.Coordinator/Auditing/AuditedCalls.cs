using Crashcart.Api;
using Crashcart.Audit;

namespace Crashcart.Coordinator.Auditing;

/// <summary>What the audit log says of each call of the clients' API that does something.</summary>
internal static class AuditedCalls
{
    /// <summary>Calls that only tell, and the run of a tool, whose sessions are told one by one.</summary>
    private static readonly HashSet<string> WithoutLine =
    [
        "/crashcart.api.Fleet/ListNodes",
        "/crashcart.api.Fleet/ListContainers",
        "/crashcart.api.Fleet/Run",
        "/crashcart.api.Images/ListImages",
        "/crashcart.api.Leases/ListLeases",
        "/crashcart.api.Runs/ListRuns",
        "/crashcart.api.Policies/Explain",
        "/crashcart.api.Audit/ListAudit",
        "/crashcart.api.Recordings/ListRecordings",
    ];

    /// <summary>The event of a request; null when it has no line.</summary>
    /// <param name="request">The call's request, or its first message.</param>
    public static AuditEvent? Of(object request) => request switch
    {
        CordonNodeRequest cordon => Asked(cordon.Drain ? "drain" : cordon.Cordoned ? "cordon" : "uncordon") with { Node = cordon.Node },
        SignalRunRequest signal => Asked("signal") with { Run = signal.RunId, Arguments = [$"{signal.Signal}"] },
        KillRequest kill => Asked("kill") with { Target = kill.Id, Reason = kill.Reason },
        MountRequest mount => Asked("mount") with
        {
            Target = Targets(mount.Container, mount.Selection),
            Image = mount.Image,
            Reason = mount.Reason,
        },
        UnmountRequest unmount => Asked("unmount") with { Target = Targets(unmount.Container, unmount.Selection), Reason = unmount.Reason },
        PushInput { Start: { } push } => Asked("push") with { Image = push.Name, ImageDigest = push.Digest },
        RemoveImageRequest remove => Asked("remove") with { Target = remove.Reference },
        RunInput { Start.Replay: { } replay } => Asked("logs") with { Run = replay.Run },
        ReadRecordingRequest read => Asked("recordings") with { Target = read.Id },
        RemoveRunRequest forget => Asked("forget") with { Run = forget.Id },
        _ => null,
    };

    /// <summary>Whether somebody has thought about what the log says of a call.</summary>
    public static bool IsDecided(string method, object request) => WithoutLine.Contains(method) || Of(request) is not null;

    /// <summary>A selection as the command line writes it.</summary>
    public static string Targets(string container, Selection? selection) => selection is null ? container : string.Join(' ', Parts(selection));

    private static IEnumerable<string> Parts(Selection selection)
    {
        if (selection.Selector.Length > 0)
            yield return "--label " + selection.Selector;
        if (selection.Node.Length > 0)
            yield return "--node " + selection.Node;
        if (selection.Name.Length > 0)
            yield return "--name " + selection.Name;
        if (selection.Image.Length > 0)
            yield return "--container-image " + selection.Image;
        if (selection.Runtime.Length > 0)
            yield return "--runtime " + selection.Runtime;
    }

    private static AuditEvent Asked(string verb) => new("request") { Verb = verb };
}
