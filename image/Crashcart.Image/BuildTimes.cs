using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Image;

/// <summary>How long each stage of a build took.</summary>
internal sealed class BuildTimes
{
    private readonly List<(string Stage, TimeSpan Took)> _stages = [];
    private readonly long _begun = Stopwatch.GetTimestamp();
    private long _since = Stopwatch.GetTimestamp();

    /// <summary>A stage ends that began when the one before it ended.</summary>
    public void End(string stage)
    {
        _stages.Add((stage, Stopwatch.GetElapsedTime(_since)));
        _since = Stopwatch.GetTimestamp();
    }

    public override string ToString()
    {
        var whole = Stopwatch.GetElapsedTime(_begun);
        return $"{Seconds(whole)} s: {string.Join(", ", _stages.Select(s => $"{s.Stage} {Seconds(s.Took)}"))}";
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture);
}
