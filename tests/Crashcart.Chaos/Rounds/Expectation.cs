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

    public IReadOnlyList<string> Differences()
    {
        var now = HostPicture.Read(fleet);
        return
        [
            .. now.Except(_before).Except(_reported).Select(thing => $"left behind: {thing}"),
            .. _before.Except(now).Select(thing => $"missing: {thing}"),
            .. fleet.Daemons.Where(daemon => daemon.IsGone).Select(daemon => $"daemon {daemon.Pid} has ended: {daemon.LastWords}"),
            .. fleet.Daemons.SelectMany(daemon => Descriptors(daemon.Pid).Excess()),
        ];
    }

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
