using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.State;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.Rounds;

/// <summary>How the host was before the first fault, and has to be after every round.</summary>
internal sealed class Expectation
{
    /// <summary>From the end of load and repair. It takes milliseconds, or a few seconds; this is for a host that does much else.</summary>
    public static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(30);

    private readonly ChaosFleet _fleet;
    private readonly HashSet<string> _before;
    private readonly HashSet<string> _reported = [];
    private readonly HashSet<string> _forTheNextUser = [];
    private readonly Dictionary<int, DescriptorCount> _descriptors = [];

    private Expectation(ChaosFleet fleet, HashSet<string> before)
    {
        _fleet = fleet;
        _before = before;
    }

    /// <summary>Looks at a host where nothing is under way: it is the same twice, and no image is attached.</summary>
    public static async Task<Expectation> Look(ChaosFleet fleet)
    {
        HashSet<string> last = [], now = [];
        await Eventually.Holds(
            () =>
            {
                (last, now) = (now, HostPicture.Read(fleet));
                return now.SetEquals(last) && !now.Any(thing => thing.StartsWith("loop device", StringComparison.Ordinal));
            },
            () => $"nothing is under way; there is {string.Join(", ", now.Except(last))}");
        return new Expectation(fleet, now);
    }

    /// <param name="killed">Processes were killed, and what they had in hand is for the next user to clear away.</param>
    public IReadOnlyList<string> Differences(bool killed)
    {
        var now = HostPicture.Read(_fleet);
        if (killed)
            _forTheNextUser.UnionWith(now.Except(_before).Where(IsForTheNextUser));
        return
        [
            .. now.Except(_before).Except(_reported).Except(_forTheNextUser).Select(thing => $"left behind: {thing}"),
            .. _before.Except(now).Except(_reported).Select(thing => $"missing: {thing}"),
            .. _fleet.Daemons.Where(daemon => daemon.IsGone).Select(daemon => $"daemon {daemon.Pid} has ended: {daemon.LastWords}"),
            .. _fleet.Daemons.SelectMany(daemon => Descriptors(daemon.Pid).Excess()),
        ];
    }

    /// <summary>What killed processes left, and somebody who has used every container since has not cleared away.</summary>
    public IReadOnlyList<string> NotCleared()
    {
        _forTheNextUser.Clear();
        return [.. HostPicture.Read(_fleet).Except(_before).Except(_reported).Where(IsForTheNextUser).Select(thing => $"not cleared away by the next user: {thing}")];
    }

    /// <summary>A lock file that nobody holds, and a mount point that nothing is mounted on.</summary>
    private static bool IsForTheNextUser(string thing) =>
        (thing.StartsWith("file /run/crashcart/", StringComparison.Ordinal) && thing.EndsWith(".lock", StringComparison.Ordinal))
        || (thing.StartsWith("entry of /dev", StringComparison.Ordinal) && thing.EndsWith(": crashcart", StringComparison.Ordinal));

    /// <summary>The round is over; what is reported is not reported again.</summary>
    public void Accept(IReadOnlyList<string> differences)
    {
        foreach (var difference in differences)
            _reported.Add(difference[(difference.IndexOf(": ", StringComparison.Ordinal) + 2)..]);
        foreach (var daemon in _fleet.Daemons)
            Descriptors(daemon.Pid).Settle();
    }

    private DescriptorCount Descriptors(int pid)
    {
        if (!_descriptors.TryGetValue(pid, out var count))
            _descriptors.Add(pid, count = new DescriptorCount(pid));
        return count;
    }
}
