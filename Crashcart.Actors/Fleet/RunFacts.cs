using System.Diagnostics.CodeAnalysis;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>How a run is, as far as coordinators and nodes said.</summary>
/// <param name="Targets">As many containers as it has had so far.</param>
/// <param name="Done">Of these, in which the tool ended with 0.</param>
/// <param name="Failed">In which it ended otherwise, or was not started.</param>
/// <param name="Bytes">That nodes keep of it.</param>
/// <param name="IsLive">A coordinator has it: more may start.</param>
/// <param name="IsKept">Nodes keep what its sessions write.</param>
public sealed record RunFacts(
    RunId Id, string Tool, string By, DateTimeOffset Since, int Targets, int Running, int Done, int Failed, long Bytes, bool IsLive, bool IsKept)
{
    /// <summary>Sessions of which nobody knows: they wait while the run is live, and have never begun when it is not.</summary>
    public int Others => Math.Max(0, Targets - Running - Done - Failed);

    public bool IsOver => !IsLive && Running == 0;

    /// <summary>All of them, the newest first.</summary>
    public static IReadOnlyList<RunFacts> Merge(IEnumerable<LiveRun> live, IEnumerable<KeptRun> kept)
    {
        var going = live.DistinctBy(run => run.RunId).ToDictionary(run => run.RunId);
        ILookup<string, KeptRun> onNodes = kept.ToLookup(run => run.RunId);
        return
        [
            .. going.Keys.Union(onNodes.Select(run => run.Key))
                .Select(id => Of(new RunId(id), going.GetValueOrDefault(id), [.. onNodes[id]]))
                .OrderByDescending(run => run.Since).ThenBy(run => run.Id.Value, StringComparer.Ordinal),
        ];
    }

    /// <summary>The one that the text means.</summary>
    /// <param name="id">Of a run, or its beginning, with or without what all ids begin with.</param>
    /// <param name="rejection">Why there is not exactly one.</param>
    internal static bool TryChoose(
        RunQuery.Found found, string id, [NotNullWhen(true)] out RunFacts? run, [NotNullWhen(false)] out RunQuery.Rejected? rejection)
    {
        List<RunFacts> meant = [.. found.Runs.Where(one => one.Id.Value == id)];
        if (meant.Count == 0)
            meant = [.. found.Runs.Where(one => one.Id.IsBegunBy(id))];
        run = meant.Count == 1 ? meant[0] : null;
        rejection = (meant.Count, found.Silent) switch
        {
            (0, []) => new RunQuery.Rejected(NotFound: true, $"There is no run '{id}'; 'crashcart runs' lists those that go on or are kept."),
            (0, [var silent, ..]) => new RunQuery.Rejected(
                NotFound: false, $"There is no run '{id}' as far as is known; not everybody could say. {silent.Node}: {silent.Problem}"),
            (1, _) => null,
            _ => new RunQuery.Rejected(
                NotFound: false, $"'{id}' is the beginning of {meant.Count} runs: {string.Join(", ", meant.Take(5).Select(one => one.Id))}; write more of it."),
        };
        return rejection is null;
    }

    private static RunFacts Of(RunId id, LiveRun? live, IReadOnlyList<KeptRun> kept)
    {
        long bytes = kept.Sum(node => node.Bytes);
        if (live is not null)
            return new RunFacts(
                id, live.Tool, live.By, At(live.SinceUnixMs), live.Targets, live.Running, live.Done, live.Failed, bytes, IsLive: true, live.Kept);
        return new RunFacts(
            id,
            kept[0].Tool,
            kept[0].By,
            At(kept.Min(node => node.SinceUnixMs)),
            kept.Max(node => node.Targets),
            kept.Sum(node => node.Running),
            kept.Sum(node => node.Done),
            kept.Sum(node => node.Failed),
            bytes,
            IsLive: false,
            IsKept: true);
    }

    private static DateTimeOffset At(long unixMs) => DateTimeOffset.FromUnixTimeMilliseconds(unixMs);
}
