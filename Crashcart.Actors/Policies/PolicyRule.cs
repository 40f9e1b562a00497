using System.IO.Enumeration;

namespace Crashcart.Actors.Policies;

/// <summary>What a coordinator records of a session.</summary>
public enum Recorded
{
    Nothing,

    /// <summary>What the tool writes, and the size of its terminal.</summary>
    Output,

    /// <summary>And what is sent to it: passwords that are typed, too.</summary>
    Input,
}

/// <summary>One rule of a policy. Lists hold when one of their globs does; an empty list holds always.</summary>
/// <param name="Name">For people.</param>
/// <param name="Line">Where it stands in its file.</param>
/// <param name="Allows">What it says when it holds.</param>
/// <param name="Subjects">Globs of names and groups.</param>
public sealed record PolicyRule(string Name, int Line, bool Allows, IReadOnlyList<string> Subjects)
{
    /// <summary>Empty: every one that has all that the rule is narrowed to.</summary>
    public IReadOnlyList<PolicyVerb> Verbs { get; init; } = [];

    /// <summary>Globs of nodes' names.</summary>
    public IReadOnlyList<string> Nodes { get; init; } = [];

    /// <summary>Which containers.</summary>
    public Selector Labels { get; init; } = Selector.All;

    /// <summary>Globs of NAME:TAG; <see cref="PolicyQuestion.NodesOwnImage"/> is the file that a node was given.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>Globs. A tool that is asked for by a path is compared with those that have a slash only.</summary>
    public IReadOnlyList<string> Tools { get; init; } = [];

    /// <summary>What is recorded of the sessions that it allows.</summary>
    public Recorded Record { get; init; }

    public PolicyAspects Narrowed =>
        (Nodes.Count > 0 ? PolicyAspects.Nodes : 0)
        | (Labels.SelectsAll ? 0 : PolicyAspects.Labels)
        | (Images.Count > 0 ? PolicyAspects.Images : 0)
        | (Profiles.Count > 0 ? PolicyAspects.Profiles : 0)
        | (Tools.Count > 0 ? PolicyAspects.Tools : 0);

    /// <param name="unknown">Whether what the rule is narrowed to holds where the question does not say.</param>
    public bool Holds(PolicyQuestion question, bool unknown) =>
        question.Subject.Groups.Prepend(question.Subject.Name).Any(name => Matches(Subjects, name))
        && (Verbs.Count == 0 || Verbs.Contains(question.Verb))
        // A rule about labels, say, is not about the fleet's images.
        && (Narrowed & ~question.Verb.Aspects()) == 0
        && MatchesIfKnown(Nodes, question.Node, unknown)
        && (Labels.SelectsAll || (question.Labels is { } labels ? Labels.Matches(labels) : unknown))
        && MatchesIfKnown(Images, question.Image, unknown)
        && MatchesIfKnown(Profiles, question.Profile, unknown)
        && MatchesIfKnown(Tools, question.Tool, unknown, (glob, tool) => HasSlash(glob) == HasSlash(tool));

    private static bool MatchesIfKnown(IReadOnlyList<string> globs, string? text, bool unknown, Func<string, string, bool>? isAlike = null) =>
        globs.Count == 0 || (text is null ? unknown : Matches(isAlike is null ? globs : globs.Where(glob => isAlike(glob, text)), text));

    private static bool Matches(IEnumerable<string> globs, string text) =>
        globs.Any(glob => FileSystemName.MatchesSimpleExpression(glob, text, ignoreCase: false));

    private static bool HasSlash(string text) => text.Contains('/', StringComparison.Ordinal);
}
