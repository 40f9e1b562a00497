using System.Globalization;
using System.Text;
using Crashcart.Chaos.Rounds;

namespace Crashcart.Chaos;

/// <summary>Adds rounds up.</summary>
internal sealed class Tally
{
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private readonly List<TimeSpan> _settled = [];
    private TimeSpan _time;
    private int _rounds;

    /// <summary>Rounds after which something was not as before.</summary>
    public int Failures { get; private set; }

    public void Add(RoundResult result, TimeSpan time)
    {
        _rounds++;
        _time += time;
        foreach (var fault in result.Faults)
            _faults[fault] = _faults.GetValueOrDefault(fault) + 1;
        if (result.Settled is { } settled)
            _settled.Add(settled);
        if (result.Failures.Count > 0)
            Fail();
    }

    public void Fail() => Failures++;

    public override string ToString()
    {
        var text = new StringBuilder().AppendLine("| fault | times |").AppendLine("| --- | --- |");
        foreach (var (fault, times) in _faults)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {fault} | {times} |");
        _settled.Sort();
        return text.AppendLine().Append(CultureInfo.InvariantCulture,
            $"{_rounds} rounds in {_time.TotalSeconds:0} s, {_faults.Values.Sum()} faults of {_faults.Count} kinds; as before after "
            + $"{Milliseconds(0.5)} ms (median), {Milliseconds(1)} ms (longest); {Failures} failed.").ToString();
    }

    private string Milliseconds(double quantile) => _settled.Count == 0
        ? "-"
        : _settled[(int)Math.Round(quantile * (_settled.Count - 1))].TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
}
