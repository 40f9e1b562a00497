using System.Text;
using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>Rows under headings, in columns as wide as their widest cell.</summary>
internal static class TextTable
{
    public static string Of(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.Select(row => row.Select(SafeText.Of).ToArray()).Prepend([.. headings]).ToList();
        var widths = headings.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in all)
        {
            var line = string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column])));
            text.Append(line.TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
