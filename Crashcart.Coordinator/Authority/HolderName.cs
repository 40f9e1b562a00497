using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Authority;

/// <summary>What stands in certificates, in policies and in names of files.</summary>
internal static class HolderName
{
    private const int MaxLength = 63;

    /// <exception cref="SettingsException">It is no such name.</exception>
    public static string Checked(string text, string what) => Is(text)
        ? text
        : throw new SettingsException($"'{text}' is no {what}: use up to {MaxLength} letters, digits and -_.@, beginning with a letter or digit.");

    /// <exception cref="SettingsException">Nothing is dialled so.</exception>
    public static string CheckedHost(string text) =>
        Uri.CheckHostName(text) != UriHostNameType.Unknown ? text : throw new SettingsException($"--host '{text}' is neither a host's name nor an address.");

    private static bool Is(string text) =>
        text.Length is > 0 and <= MaxLength && char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || "-_.@".Contains(c, StringComparison.Ordinal));
}
