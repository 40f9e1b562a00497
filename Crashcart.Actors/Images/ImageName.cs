using System.Text.RegularExpressions;

namespace Crashcart.Actors.Images;

/// <summary>NAME:TAG, as docker(1) allows them: <c>toolbox:latest</c>, <c>team/net-tools:2.1</c>.</summary>
public readonly partial record struct ImageName
{
    private const string DefaultTag = "latest";
    private const int LongestName = 255;

    private ImageName(string value) => Value = value;

    /// <summary>What sessions use on nodes that were given no image.</summary>
    public static ImageName Default { get; } = new("toolbox:" + DefaultTag);

    /// <summary>Always with its tag.</summary>
    public string Value { get; }

    /// <summary>Reads NAME or NAME:TAG.</summary>
    /// <param name="problem">The end of a sentence: what is wrong with the text.</param>
    public static bool TryParse(string text, out ImageName name, out string problem)
    {
        int colon = text.LastIndexOf(':');
        string repository = colon < 0 ? text : text[..colon];
        string tag = colon < 0 ? DefaultTag : text[(colon + 1)..];
        problem = "";
        if (repository.Length > LongestName || !Repository().IsMatch(repository))
            problem = "the name must be lower-case letters and digits, with single . _ or - between them and / between its parts";
        else if (!Tag().IsMatch(tag))
            problem = "the tag must be at most 128 letters, digits, _ . or -, and begin with none of the last two";
        else if (repository == "sha256")
            problem = "sha256: is how a digest begins";
        name = problem.Length == 0 ? new ImageName($"{repository}:{tag}") : default;
        return problem.Length == 0;
    }

    public override string ToString() => Value;

    [GeneratedRegex(@"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Repository();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Tag();
}
