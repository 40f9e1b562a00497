using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Crashcart.Image;

/// <summary>The very packages that images of one recipe are made of, for each architecture.</summary>
/// <param name="Recipe">The recipe's name.</param>
/// <param name="Release">The archive that they were found in, like <c>Debian bookworm</c>.</param>
/// <param name="Packages">By Debian's name of the architecture.</param>
internal sealed partial record LockFile(string Recipe, string Release, IReadOnlyDictionary<string, LockedPackages> Packages)
{
    /// <returns>Why it says nothing of this recipe; null when it does.</returns>
    /// <param name="recipe">The recipe's name.</param>
    /// <param name="named">The packages that the recipe names.</param>
    /// <param name="architecture">For this one.</param>
    public string? Fault(string recipe, IReadOnlyList<string> named, Architecture architecture)
    {
        if (Recipe != recipe)
            return $"is for the recipe {Recipe}, not for {recipe}";
        if (!Packages.TryGetValue(architecture.Name, out var locked))
            return $"has no packages for {architecture.Name}";
        if (named.Except(locked.Named).ToList() is [_, ..] added)
            return $"lacks what the recipe names: {string.Join(", ", added)}";
        return locked.Named.Except(named).ToList() is [_, ..] gone
            ? $"has what the recipe names no more: {string.Join(", ", gone)}"
            : null;
    }

    /// <param name="text">As <see cref="ToString"/> writes it.</param>
    /// <param name="source">What errors call the text.</param>
    /// <exception cref="ImageBuildException">It is no lock.</exception>
    public static LockFile Parse(string text, string source)
    {
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            var root = ((YamlMappingNode)yaml.Documents[0].RootNode).Children
                .ToDictionary(pair => ((YamlScalarNode)pair.Key).Value!, pair => pair.Value);
            return new LockFile(
                ((YamlScalarNode)root["recipe"]).Value!,
                ((YamlScalarNode)root["release"]).Value!,
                root.Where(pair => Architecture.Names.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => Read((YamlMappingNode)pair.Value)));
        }
        catch (Exception e) when (e is YamlException or InvalidCastException or KeyNotFoundException or ArgumentException or FormatException)
        {
            throw new ImageBuildException($"{source} is no lock of packages, or a damaged one: write it again with --update.", e);
        }
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# What images of the recipe {Recipe} are made of: crashcart image build --update writes this file.\n");
        text.Append("# Name, version, architecture, size in bytes and SHA-256 of every package file.\n");
        text.Append(CultureInfo.InvariantCulture, $"recipe: {Recipe}\nrelease: {Release}\n");
        foreach (var (architecture, locked) in Packages.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{architecture}:\n  named:\n");
            foreach (var name in locked.Named.Order(StringComparer.Ordinal))
                text.Append(CultureInfo.InvariantCulture, $"    - {name}\n");
            text.Append("  packages:\n");
            foreach (var p in locked.Packages.OrderBy(p => p.Name, StringComparer.Ordinal))
                text.Append(CultureInfo.InvariantCulture, $"    - {p.Name} {p.Version} {p.Architecture} {p.Size} {p.Sha256}\n");
        }

        return text.ToString();
    }

    private static LockedPackages Read(YamlMappingNode node) => new(
        [.. Items(node, "named")],
        [.. Items(node, "packages").Select(Package)]);

    private static IEnumerable<string> Items(YamlMappingNode node, string key)
        => ((YamlSequenceNode)node.Children[new YamlScalarNode(key)]).Children.Select(item => ((YamlScalarNode)item).Value!);

    private static LockedPackage Package(string line)
    {
        var match = PackageLine().Match(line);
        return match.Success
            ? new LockedPackage(
                match.Groups[1].Value,
                match.Groups[2].Value,
                match.Groups[3].Value,
                long.Parse(match.Groups[4].ValueSpan, CultureInfo.InvariantCulture),
                match.Groups[5].Value)
            : throw new FormatException();
    }

    // Names and versions as deb-version(7) has them: they become arguments of apt-get.
    [GeneratedRegex(@"^([a-z0-9][a-z0-9.+-]*) ([A-Za-z0-9][A-Za-z0-9.+:~-]*) ([a-z0-9]+) (\d{1,12}) ([0-9a-f]{64})$")]
    private static partial Regex PackageLine();
}

/// <param name="Named">What the recipe names, with what it names for manuals.</param>
/// <param name="Packages">Those and all that they depend on.</param>
internal sealed record LockedPackages(IReadOnlyList<string> Named, IReadOnlyList<LockedPackage> Packages);
