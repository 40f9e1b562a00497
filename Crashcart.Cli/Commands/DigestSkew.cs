using Crashcart.Api;

namespace Crashcart.Cli.Commands;

/// <summary>Which nodes were given another image than most.</summary>
internal sealed class DigestSkew
{
    private readonly string _usual;
    private readonly int _usualCount;
    private readonly IReadOnlyList<Node> _others;

    private DigestSkew(string usual, int usualCount, IReadOnlyList<Node> others)
    {
        _usual = usual;
        _usualCount = usualCount;
        _others = others;
    }

    /// <summary>Nodes without an image, or that did not answer, do not count.</summary>
    public static DigestSkew Of(IReadOnlyList<Node> nodes)
    {
        var images = nodes.Where(node => node.ImageDigests.Count > 0).ToList();
        // Of equally many the choice is the same each time.
        var usual = images.GroupBy(node => node.ImageDigests[0])
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).FirstOrDefault();
        return usual is null
            ? new DigestSkew("", 0, [])
            : new DigestSkew(usual.Key, usual.Count(), [.. images.Where(node => node.ImageDigests[0] != usual.Key)]);
    }

    public bool Deviates(Node node) => _others.Contains(node);

    /// <summary>Null when all have the same.</summary>
    public string? Describe() => _others.Count == 0
        ? null
        : $"{Nodes(_others.Count)} another image than {Others(_usualCount)} with {ImageNames.Abbreviated(_usual)}: "
            + string.Join(", ", _others.Select(node => $"{node.Name} ({ImageNames.Abbreviated(node.ImageDigests[0])})"));

    private static string Nodes(int count) => count == 1 ? "1 node has" : $"{count} nodes have";

    private static string Others(int count) => count == 1 ? "the one" : $"the {count}";
}
