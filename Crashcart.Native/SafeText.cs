using System.Globalization;
using System.Text;

namespace Crashcart.Native;

/// <summary>Text from elsewhere (names, labels, sentences), made harmless to a terminal.</summary>
public static class SafeText
{
    /// <summary>The text with every control, formatting, separator and unpaired surrogate character replaced by U+FFFD.</summary>
    public static string Of(string text)
    {
        if (text.All(char.IsAsciiLetterOrDigit))
            return text;
        var safe = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            safe.Append(IsHarmless(rune) ? rune.ToString() : "\uFFFD");
        return safe.ToString();
    }

    private static bool IsHarmless(Rune rune) => Rune.GetUnicodeCategory(rune)
        is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
