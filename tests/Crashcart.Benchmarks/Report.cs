using System.Globalization;
using System.Text;

namespace Crashcart.Benchmarks;

/// <summary>A Markdown table, one comparison a line.</summary>
internal sealed class Report
{
    private readonly StringBuilder _text = new StringBuilder()
        .AppendLine("| what | Crashcart, median (p90) ms | peer | median (p90) ms | ratio | bar | n |")
        .AppendLine("| --- | --- | --- | --- | --- | --- | --- |");

    /// <param name="what">What is compared.</param>
    /// <param name="bar">The greatest ratio that is good enough; null where none is set.</param>
    public void Add(string what, (Peer Peer, Samples Samples) ours, (Peer Peer, Samples Samples) peer, double? bar)
    {
        var ratio = ours.Samples.Median / peer.Samples.Median;
        _text.AppendLine(string.Create(CultureInfo.InvariantCulture,
            $"| {what} | {Times(ours.Samples)} | {peer.Peer.Name} | {Times(peer.Samples)} | {ratio:0.00} | {Verdict(ratio, bar)} | {ours.Samples.Count} |"));
    }

    public void Note(string line) => _text.AppendLine().AppendLine(line);

    public override string ToString() => _text.ToString();

    private static string Times(Samples samples) =>
        string.Create(CultureInfo.InvariantCulture, $"{samples.Median:0.0} ({samples.Quantile(0.9):0.0})");

    private static string Verdict(double ratio, double? bar) => bar is not { } limit
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"≤ {limit:0.00} {(ratio <= limit ? "met" : "**missed**")}");
}
