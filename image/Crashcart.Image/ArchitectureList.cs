using System.Text.RegularExpressions;

namespace Crashcart.Image;

/// <summary>A recipe's entry with the architectures that it is for, as Debian writes it: <c>ltrace [amd64]</c>, <c>x [!arm64]</c>.</summary>
internal static partial class ArchitectureList
{
    /// <returns>What is wrong with the entry; null when nothing is.</returns>
    public static string? Fault(string entry)
    {
        var match = Entry().Match(entry);
        if (!match.Success)
            return $"'{entry}' is not of the form 'name' or 'name [amd64]'";
        var unknown = Names(match).Select(n => n.TrimStart('!')).FirstOrDefault(n => !Architecture.Names.Contains(n));
        return unknown is null ? null : $"'{unknown}' is no architecture of images: {string.Join(" and ", Architecture.Names)} are";
    }

    /// <returns>The entry's name; null when it is not for this architecture.</returns>
    public static string? For(string entry, Architecture architecture)
    {
        var match = Entry().Match(entry);
        var names = Names(match);
        var isListed = names.Contains(architecture.Name)
            || (names.Any(n => n.StartsWith('!')) && !names.Contains("!" + architecture.Name));
        return names.Length == 0 || isListed ? match.Groups["name"].Value : null;
    }

    private static string[] Names(Match match)
        => match.Groups["list"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"^(?<name>[^\s\[\]]+)( +\[(?<list>!?[a-z0-9]+( +!?[a-z0-9]+)*)\])?$")]
    private static partial Regex Entry();
}
