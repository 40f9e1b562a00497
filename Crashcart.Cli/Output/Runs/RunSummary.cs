using System.Globalization;

namespace Crashcart.Cli.Output.Runs;

/// <summary>What a person wants to know when a run is over: who failed and why; on a terminal also how many, how long, and who was slowest.</summary>
internal static class RunSummary
{
    /// <summary>More than that are folded by what they say.</summary>
    private const int MostLines = 20;

    private const int Slowest = 3;

    public static string Failures(IReadOnlyList<(string Who, string Why)> failures)
    {
        if (failures.Count == 0)
            return "";
        var lines = failures.Count <= MostLines
            ? failures
            : [.. failures.GroupBy(failure => failure.Why, failure => failure.Who)
                .OrderByDescending(group => group.Count())
                .Select(group => (Who: NameFold.Of(group), Why: group.Key))];
        var width = lines.Max(line => line.Who.Length);
        return $"crashcart: {failures.Count} failed:\n" + string.Concat(lines.Select(line => $"  {line.Who.PadRight(width)}  {line.Why}\n"));
    }

    public static string Course(RunProgress run)
    {
        if (run.Targets.Count < 2)
            return "";
        var nodes = run.Targets.Select(target => target.Node).Distinct().Count();
        var slowest = run.Targets.Where(target => target.Started is not null).OrderByDescending(target => target.Took(run.Now)).Take(Slowest);
        return $"crashcart: {run.Targets.Count} containers on {nodes} host{(nodes == 1 ? "" : "s")} in {Seconds(run.Now - run.Began)}: "
            + $"{run.Well} done, {run.Failed} failed, {ByteSize.Of(run.Bytes)}; "
            + $"slowest {string.Join(", ", slowest.Select(target => $"{target.Name} {Seconds(target.Took(run.Now))}"))}.\n";
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");
}
