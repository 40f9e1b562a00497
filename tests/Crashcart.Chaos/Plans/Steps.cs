namespace Crashcart.Chaos.Plans;

/// <summary>The named steps of the programs, and what may happen at each: as the sources of the product name them.</summary>
internal static class Steps
{
    private const string Die = "kill";
    private const string Stop = "stop";

    /// <summary>Only where the real program could fail there, too.</summary>
    private const string Fail = "error";

    public static readonly IReadOnlyList<(string Step, string[] Actions)> All =
    [
        ("attach-device-found", [Die, Stop, Fail]),
        ("attach-device-configured", [Die, Stop, Fail]),
        ("attach-mounted", [Die, Stop]),
        ("exec-guardian-started", [Die, Stop, Fail]),
        ("exec-cgroups-made", [Die, Stop]),
        ("exec-go-sent", [Die, Stop]),
        ("release-begun", [Die, Stop]),
        ("release-guardian-gone", [Die, Stop]),
        ("release-cgroups-gone", [Die, Stop]),
        ("file-written", [Die, Stop, Fail]),
        ("mount-locked", [Die, Stop, Fail]),
        ("mount-attached", [Die, Stop]),
        ("unmount-locked", [Die, Stop, Fail]),
        ("unmount-detached", [Die, Stop]),
        ("enter-attach-joined", [Die, Stop, Fail]),
        ("enter-attach-point-made", [Die, Stop]),
        ("enter-attach-mounted", [Die, Stop]),
        ("enter-detach-joined", [Die, Stop, Fail]),
        ("enter-detach-unmounted", [Die, Stop]),
        ("enter-detach-done", [Die, Stop]),
        ("enter-exec-guardian-born", [Die, Stop]),
        ("enter-exec-guardian-told", [Die, Stop]),
        ("enter-exec-guardian-forked", [Die, Stop]),
        ("enter-exec-guardian-started", [Die, Stop]),
        ("enter-exec-guardian-ending", [Die, Stop]),
        ("enter-exec-guardian-killed", [Die, Stop]),
        ("enter-exec-guardian-reaped", [Die, Stop]),
        ("enter-exec-guardian-cleaned", [Die, Stop]),
        ("enter-exec-entrant-born", [Die, Stop, Fail]),
        ("enter-exec-entrant-joined", [Die, Stop, Fail]),
        ("enter-exec-entrant-mounted", [Die, Stop, Fail]),
        ("enter-exec-entrant-terminal", [Die, Stop, Fail]),
        ("enter-exec-entrant-became", [Die, Stop, Fail]),
        ("enter-exec-entrant-ends", [Die, Stop]),
        ("enter-exec-reaper-born", [Die, Stop]),
        ("enter-exec-reaper-announced", [Die, Stop, Fail]),
        ("enter-exec-reaper-forked", [Die, Stop]),
        ("enter-exec-reaper-reaped", [Die, Stop]),
        ("enter-exec-tool-born", [Die, Stop, Fail]),
        ("enter-exec-tool-known", [Die, Stop]),
    ];
}
