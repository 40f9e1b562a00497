using Crashcart.Actors;
using Crashcart.Actors.Policies;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Crashcart.Coordinator.Policies;

/// <summary>A policy as people write it: YAML, <c>rules:</c> with a list of rules, and <c>profiles:</c> with those of its own.</summary>
internal static partial class PolicyParser
{
    /// <summary>Characters.</summary>
    private const int Longest = 1 << 20;

    /// <summary>A rule's list is the deepest that there is.</summary>
    private const int Deepest = 4;

    public static IReadOnlyDictionary<string, PolicyVerb> Verbs { get; } = Enum.GetValues<PolicyVerb>().ToDictionary(verb => verb.ToText());

    /// <param name="name">Of the file, for what is said about it.</param>
    /// <exception cref="PolicyException">It is wrong; says where.</exception>
    public static Policy Parse(string text, string name)
    {
        if (text.Length > Longest)
            throw Wrong(name, Mark.Empty, $"a policy has at most {Longest >> 10} Ki characters");
        Read(text, name, parser => RequireShallow(parser, name));
        var stream = new YamlStream();
        Read(text, name, stream.Load);
        if (stream.Documents.Count != 1)
            throw Wrong(name, Mark.Empty, "a policy is one document, 'rules:' with a list");
        var at = new Place(name);
        YamlMappingNode root = at.Mapping(stream.Documents[0].RootNode, "a policy", ["profiles", "rules"]);
        List<PolicyProfile> profiles = Profiles(at, root);
        string[] names = [.. PolicyProfile.BuiltIn, .. profiles.Select(profile => profile.Name)];
        return root.Children.TryGetValue("rules", out YamlNode? rules)
            ? new Policy([.. at.Sequence(rules, "'rules'").Select((rule, index) => Rule(at, rule, index, names))]) { Profiles = profiles }
            : throw at.Wrong(root, "a policy has 'rules:' with a list; an empty list allows nothing");
    }

    private static void Read(string text, string name, Action<IParser> read)
    {
        var parser = new Parser(new StringReader(text));
        try
        {
            read(parser);
        }
        catch (YamlException e)
        {
            throw Wrong(name, e.Start, $"not valid YAML: {e.Message.TrimEnd('.')}");
        }
        // The library has others for some of what is no YAML.
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw Wrong(name, parser.Current?.End ?? Mark.Empty, "not valid YAML from here on");
        }
    }

    /// <summary>The loader calls itself for every list in a list, and would overflow the stack. Aliases may stand for more than there is memory.</summary>
    private static void RequireShallow(IParser parser, string name)
    {
        int depth = 0;
        while (parser.MoveNext())
        {
            ParsingEvent now = parser.Current!;
            if (now is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
                throw Wrong(name, now.Start, "a policy has no anchors (&) and aliases (*); quote a value that begins so");
            // The stream and the document count as well.
            if ((depth += now.NestingIncrease) > Deepest + 2)
                throw Wrong(name, now.Start, "nothing in a policy is nested that deep");
        }
    }

    /// <param name="profiles">All that a rule may name.</param>
    private static PolicyRule Rule(Place at, YamlNode node, int index, string[] profiles)
    {
        YamlMappingNode rule = at.Mapping(
            node, "a rule", ["name", "effect", "subjects", "verbs", "nodes", "labels", "images", "profiles", "tools", "record"]);
        bool allows = at.Word(rule, "effect", ["allow", "deny"]) switch
        {
            "allow" => true,
            "deny" => false,
            _ => throw at.Wrong(rule, "a rule needs 'effect: allow' or 'effect: deny'"),
        };
        List<string> subjects = at.Texts(rule, "subjects", IsSubject, "user:NAME, group:NAME, local:UID, with * for any");
        if (subjects.Count == 0)
            throw at.Wrong(rule, "a rule needs 'subjects', for instance [group:sre] or ['*']");
        var read = new PolicyRule(at.Text(rule, "name") ?? $"rule {index + 1}", (int)rule.Start.Line, allows, subjects)
        {
            Verbs = [.. at.Texts(rule, "verbs", Verbs.ContainsKey, string.Join(", ", Verbs.Keys)).Select(verb => Verbs[verb])],
            Nodes = at.Texts(rule, "nodes"),
            Labels = Labels(at, rule),
            Images = at.Texts(rule, "images"),
            Profiles = at.Texts(rule, "profiles", profiles.Contains, string.Join(", ", profiles)),
            Tools = at.Texts(rule, "tools"),
            Record = at.Word(rule, "record", ["output", "input"]) switch
            {
                "output" => Recorded.Output,
                "input" => Recorded.Input,
                _ => Recorded.Nothing,
            },
        };
        RequireSense(at, rule, read);
        RequireSessions(at, rule, read);
        return read;
    }

    /// <summary>A rule for a verb that it can never hold for is a mistake.</summary>
    private static void RequireSense(Place at, YamlMappingNode node, PolicyRule rule)
    {
        foreach (PolicyVerb verb in rule.Verbs)
        {
            if ((rule.Narrowed & ~verb.Aspects()) is var foreign and not PolicyAspects.None)
            {
                string aspect = Enum.GetValues<PolicyAspects>().First(one => one != PolicyAspects.None && foreign.HasFlag(one)).ToString().ToLowerInvariant();
                throw at.Wrong(node.Children[aspect], $"'{verb.ToText()}' has no {aspect}: write a rule of its own for it");
            }
        }
    }

    private static void RequireSessions(Place at, YamlMappingNode node, PolicyRule rule)
    {
        if (rule.Record == Recorded.Nothing)
            return;
        if (!rule.Allows)
            throw at.Wrong(node.Children["record"], "a rule that denies has nothing to record");
        if (rule.Verbs.Count > 0 && !rule.Verbs.Contains(PolicyVerb.Exec))
            throw at.Wrong(node.Children["record"], "only sessions are recorded, and the rule is not about 'exec'");
    }

    private static bool IsSubject(string text) =>
        text == "*" || (text.Split(':', 2) is ["user" or "group" or "local", { Length: > 0 }]);

    private static Selector Labels(Place at, YamlMappingNode rule)
    {
        if (at.Text(rule, "labels") is not { } text)
            return Selector.All;
        return Selector.TryParse(text, out Selector selector, out string problem) ? selector : throw at.Wrong(rule.Children["labels"], $"the selector is malformed {problem.TrimEnd('.')}");
    }

    /// <summary>Reads parts of a file, and says where something else stands.</summary>
    private sealed class Place(string file)
    {
        public YamlMappingNode Mapping(YamlNode node, string what, string[] known)
        {
            if (node is not YamlMappingNode mapping)
                throw Wrong(node, $"{what} is a list of 'name: value' lines");
            foreach (YamlNode key in mapping.Children.Keys)
            {
                if (key is not YamlScalarNode { Value: { } name } || !known.Contains(name))
                    throw Wrong(key, $"{what} has no '{(key as YamlScalarNode)?.Value}'; known are {string.Join(", ", known)}");
            }
            return mapping;
        }

        public IReadOnlyList<YamlNode> Sequence(YamlNode node, string what) =>
            node is YamlSequenceNode sequence ? [.. sequence.Children] : throw Wrong(node, $"{what} takes a list");

        public string? Text(YamlMappingNode mapping, string name) => !mapping.Children.TryGetValue(name, out YamlNode? node) ? null
            : node is YamlScalarNode { Value: { Length: > 0 } text } ? text
            : throw Wrong(node, $"'{name}' takes one value");

        public string? Word(YamlMappingNode mapping, string name, string[] known) =>
            Text(mapping, name) is not { } text ? null
            : known.Contains(text) ? text
            : throw Wrong(mapping.Children[name], $"'{text}' is none of {string.Join(", ", known)}");

        /// <param name="isRight">Null: any text is.</param>
        /// <param name="form">What else would be right.</param>
        public List<string> Texts(YamlMappingNode mapping, string name, Func<string, bool>? isRight = null, string form = "")
        {
            if (!mapping.Children.TryGetValue(name, out YamlNode? list))
                return [];
            var texts = new List<string>();
            foreach (YamlNode node in Sequence(list, $"'{name}'"))
            {
                if (node is not YamlScalarNode { Value: { Length: > 0 } text })
                    throw Wrong(node, $"'{name}' takes a list of plain values");
                if (isRight?.Invoke(text) == false)
                    throw Wrong(node, $"'{text}' in '{name}' is none of {form}");
                texts.Add(text);
            }
            // An empty list would mean anything, which nobody means who writes it.
            return texts.Count > 0 ? texts : throw Wrong(list, $"'{name}' is empty: leave it out for any");
        }

        public PolicyException Wrong(YamlNode node, string problem) => PolicyParser.Wrong(file, node.Start, problem);
    }

    private static PolicyException Wrong(string file, Mark at, string problem) => new($"{file}:{at.Line}:{at.Column}: {problem}.");
}
