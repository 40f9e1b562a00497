using System.Text;
using DiffPlex.Renderer;

namespace Crashcart.Cli.Output.Runs;

/// <summary>How one target's output differs from another's, as <c>diff -u</c> says it.</summary>
internal static class OutputDiff
{
    /// <summary>Bytes. What is longer, or is no text, is only said to differ: nobody would read it.</summary>
    private const int Longest = 1024 * 1024;

    public static byte[] Between(Spool one, Spool other)
    {
        if (one.Length > Longest || other.Length > Longest)
            return "The outputs differ, and are too long to compare line by line.\n"u8.ToArray();
        return TextOf(one) is { } before && TextOf(other) is { } after
            ? Encoding.UTF8.GetBytes(WithoutHeader(UnidiffRenderer.GenerateUnidiff(before, after, "", "")))
            : "The outputs differ, and are not text.\n"u8.ToArray();
    }

    private static string? TextOf(Spool spool)
    {
        using var bytes = new MemoryStream();
        spool.CopyTo(bytes.Write);
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
            // Else the end of the last line would count as an empty one after it.
            return text.EndsWith('\n') ? text[..^1] : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    // The names stand in the headings above.
    private static string WithoutHeader(string diff) => diff.IndexOf("@@", StringComparison.Ordinal) is >= 0 and var hunk ? diff[hunk..] : "";
}
