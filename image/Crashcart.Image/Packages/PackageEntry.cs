using System.IO.Enumeration;

namespace Crashcart.Image;

/// <summary>
/// What a recipe names as a package. Releases name a thing differently: <c>this | that</c> is the first that the sources
/// have, and a pattern, <c>this*-that</c>, is those of such names that the other packages depend on. Architectures may follow a name.
/// </summary>
internal static class PackageEntry
{
    private const char Or = '|';

    /// <returns>What is wrong with the entry; null when nothing is.</returns>
    public static string? Fault(string entry)
    {
        var alternatives = Split(entry);
        return alternatives.Length > 1 && IsPattern(entry)
            ? $"'{entry}' is a pattern, and so cannot be one of several: apt is not asked for it"
            : alternatives.Select(ArchitectureList.Fault).FirstOrDefault(fault => fault is not null);
    }

    /// <returns>The entry without what is not for this architecture; null when nothing is.</returns>
    public static string? For(string entry, Architecture architecture)
        => string.Join($" {Or} ", Split(entry).Select(name => ArchitectureList.For(name, architecture)).OfType<string>()) is { Length: > 0 } left
            ? left
            : null;

    /// <summary>The names one of which is asked of apt; none when the entry is a pattern.</summary>
    public static IReadOnlyList<string> Alternatives(string entry) => IsPattern(entry) ? [] : Split(entry);

    /// <summary>Those of an image's packages that the entry means.</summary>
    public static IEnumerable<string> Meant(string entry, IReadOnlyCollection<string> packages)
        => IsPattern(entry)
            ? packages.Where(name => FileSystemName.MatchesSimpleExpression(entry, name, ignoreCase: false))
            : Split(entry).Where(packages.Contains).Take(1);

    private static bool IsPattern(string entry) => entry.AsSpan().ContainsAny('*', '?');

    private static string[] Split(string entry) => entry.Split(Or, StringSplitOptions.TrimEntries);
}
