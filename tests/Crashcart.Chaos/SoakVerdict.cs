using System.Globalization;

namespace Crashcart.Chaos;

/// <summary>Which of the figures grow: the later half of a series against its first half, with what a figure may vary by.</summary>
internal static class SoakVerdict
{
    public static IReadOnlyList<string> Grown(IReadOnlyList<SoakSample> series)
    {
        var half = series.Count / 2;
        return
        [
            .. from name in series[0].Values.Keys
                let before = series.Take(half + 1).Max(sample => sample.Values[name])
                let after = series.Skip(half + 1).Select(sample => sample.Values[name]).DefaultIfEmpty().Min()
                where after > before + Allowed(name, before)
                select string.Create(CultureInfo.InvariantCulture, $"{name} from at most {before} to at least {after}")
                    + (series[0].Details.TryGetValue(name, out var first) ? $" (at first {first}; now {series[^1].Details[name]})" : ""),
        ];
    }

    /// <summary>The later half's least may be so much above the first half's most.</summary>
    private static long Allowed(string name, long before) => name switch
    {
        _ when name.EndsWith(SoakSample.Memory, StringComparison.Ordinal) => before / 20,
        _ when name.EndsWith(SoakSample.Descriptors, StringComparison.Ordinal) => 2,
        _ when name.EndsWith(SoakSample.Threads, StringComparison.Ordinal) => 2,
        SoakSample.MountId => 32, // other programs of this host take numbers, too
        _ => 0,
    };
}
