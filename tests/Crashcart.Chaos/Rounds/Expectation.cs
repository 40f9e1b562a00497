using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.State;

namespace Crashcart.Chaos.Rounds;

/// <summary>How the host was before the first fault, and has to be after every round.</summary>
internal sealed class Expectation(ChaosFleet fleet)
{
    /// <summary>From the end of load and repair; the slowest honest road is a guardian's, with all its patience.</summary>
    public static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(10);

    private readonly HashSet<string> _before = HostPicture.Read(fleet);
    private readonly HashSet<string> _reported = [];
    private readonly Dictionary<int, DescriptorCount> _descriptors = [];

    /// <param name="killed">Processes were killed, and what they had in hand is for the next user to clear away.</param>
    public IReadOnlyList<string> Differences(bool killed)
    {
        var now = HostPicture.Read(fleet).Where(thing => !killed || !IsForTheNextUser(thing)).ToHashSet();
        return
        [
            .. now.Except(_before).Except(_reported).Select(thing => $"left behind: {thing}"),
            .. _before.Except(now).Select(thing => $"missing: {thing}"),
            .. fleet.Daemons.Where(daemon => daemon.IsGone).Select(daemon => $"daemon {daemon.Pid} has ended: {daemon.LastWords}"),
            .. fleet.Daemons.SelectMany(daemon => Descriptors(daemon.Pid).Excess()),
        ];
    }

    /// <summary>What killed processes left, and somebody who has used every container since has not cleared away.</summary>
    public IReadOnlyList<string> NotCleared() =>
        [.. HostPicture.Read(fleet).Except(_before).Where(IsForTheNextUser).Select(thing => $"not cleared away by the next user: {thing}")];

    /// <summary>A lock file that nobody holds, and a mount point that nothing is mounted on.</summary>
    private static bool IsForTheNextUser(string thing) =>
        (thing.StartsWith("file /run/crashcart/", StringComparison.Ordinal) && thing.EndsWith(".lock", StringComparison.Ordinal))
        || (thing.StartsWith("entry of /dev", StringComparison.Ordinal) && thing.EndsWith(": crashcart", StringComparison.Ordinal));

    /// <summary>The round is over; what is reported is not reported again.</summary>
    public void Accept(IReadOnlyList<string> differences)
    {
        foreach (var difference in differences)
            _reported.Add(difference.Replace("left behind: ", "", StringComparison.Ordinal));
        foreach (var daemon in fleet.Daemons)
            Descriptors(daemon.Pid).Settle();
    }

    private DescriptorCount Descriptors(int pid)
    {
        if (!_descriptors.TryGetValue(pid, out var count))
            _descriptors.Add(pid, count = new DescriptorCount(pid));
        return count;
    }
}
