namespace Crashcart.Cli.Grammar;

/// <summary>What a mistyped word may have meant.</summary>
internal static class Suggestion
{
    /// <returns>What to put behind the complaint, or nothing.</returns>
    public static string For(string word, IEnumerable<string> known) =>
        Nearest(word, known) is { } nearest ? $" (did you mean {nearest}?)" : "";

    /// <summary>The known word that is at most two edits, and at most half of itself, away.</summary>
    public static string? Nearest(string word, IEnumerable<string> known) => known
        .Select(candidate => (Candidate: candidate, Edits: Distance(word, candidate)))
        .Where(pair => pair.Edits <= 2 && pair.Edits * 2 <= pair.Candidate.TrimStart('-').Length)
        .OrderBy(pair => pair.Edits)
        .Select(pair => pair.Candidate)
        .FirstOrDefault();

    // Levenshtein's distance; a row at a time.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[b.Length];
    }
}
