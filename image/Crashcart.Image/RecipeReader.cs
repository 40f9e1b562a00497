using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Crashcart.Image;

/// <summary>Turns YAML into a <see cref="Recipe"/>; every error names file, line and column.</summary>
internal sealed class RecipeReader
{
    private readonly string _source;

    private RecipeReader(string source) => _source = source;

    /// <param name="text">YAML.</param>
    /// <param name="source">What errors call the text.</param>
    public static Recipe Read(TextReader text, string source) => new RecipeReader(source).Read(text);

    private Recipe Read(TextReader text)
    {
        var yaml = new YamlStream();
        try
        {
            yaml.Load(text);
        }
        catch (YamlException e)
        {
            throw Error(e.Start, e.Message);
        }

        if (yaml.Documents.Count != 1)
            throw Error(Mark.Empty, "a recipe is one YAML document");

        var recipe = Recipe(yaml.Documents[0].RootNode, "a recipe", inDocs: false);
        return recipe.Name.Length > 0 ? recipe : throw Error(yaml.Documents[0].RootNode.Start, "the recipe has no 'name'");
    }

    private Recipe Recipe(YamlNode node, string what, bool inDocs)
    {
        var recipe = new Recipe { Name = "" };
        foreach (var (key, value) in Mapping(node, what))
        {
            recipe = Text(key) switch
            {
                "packages" => recipe with { Packages = [.. Items(value).Select(Package)] },
                "executables" => recipe with { Executables = Map(value, ForArchitectures, TextOrNothing) },
                "load" => recipe with { Load = Texts(value) },
                "drop" => recipe with { Drop = Texts(value) },
                "keep" => recipe with { Keep = Texts(value) },
                "links" => recipe with { Links = Map(value, Text) },
                "directories" => recipe with { Directories = Directories(value) },
                "files" => recipe with { Files = Map(value, Text) },
                "edits" => recipe with { Edits = [.. Items(value).Select(Edit)] },
                "wrappers" => recipe with { Wrappers = Map(value, Wrap) },
                "lint-allow" => recipe with { LintAllow = Map(value, Texts) },
                "environment" => recipe with { Environment = Map(value, Variable, Text) },
                "name" when !inDocs => recipe with { Name = Name(value) },
                "include" when !inDocs => recipe with { Include = value is YamlSequenceNode ? Texts(value) : [Text(value)] },
                "format" when !inDocs => recipe with { Format = OneOf(value, FileSystem.Names) },
                "compression" when !inDocs => recipe with { Compression = Text(value) },
                "architecture" when !inDocs => recipe with { Architecture = OneOf(value, Architecture.Names) },
                "docs" when !inDocs => recipe with { Docs = Boolean(value) },
                "with-docs" when !inDocs => recipe with { WithDocs = Recipe(value, "what comes with manuals", inDocs: true) },
                var unknown => throw Error(key.Start, $"{what} has no '{unknown}'"),
            };
        }

        return recipe;
    }

    private string Name(YamlNode node)
    {
        var name = Text(node);
        return name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? name
            : throw Error(node.Start, $"'{name}' is no name: letters, digits and -_. are");
    }

    private Dictionary<string, string> Directories(YamlNode node)
    {
        var directories = Map(node, Text);
        var tooLong = Mapping(node, "this").FirstOrDefault(pair => Tree.MountPoint.Length + 1 + Text(pair.Value).Length > Text(pair.Key).Length);
        return tooLong.Key is null
            ? directories
            : throw Error(tooLong.Key.Start, $"{Tree.MountPoint}/{Text(tooLong.Value)} is longer than {Text(tooLong.Key)}, and a program has no room for it");
    }

    private TextEdit Edit(YamlNode node)
    {
        string? file = null, architecture = null;
        var optional = false;
        IReadOnlyList<TextVariant> variants = [];
        var own = new YamlMappingNode();
        foreach (var (key, value) in Mapping(node, "an edit"))
        {
            switch (Text(key))
            {
                case "file": file = Text(value); break;
                case "any": variants = [.. Items(value).Select(variant => Variant(variant, variant.Start))]; break;
                case "optional": optional = Boolean(value); break;
                case "architecture": architecture = OneOf(value, Architecture.Names); break;
                default: own.Add(key, value); break;
            }
        }

        if (file is null || (own.Children.Count > 0 && variants.Count > 0))
            throw Error(node.Start, "an edit needs 'file', and either 'from' and 'to' or 'any'");
        return new TextEdit(file, variants.Count > 0 ? variants : [Variant(own, node.Start)], architecture) { Optional = optional };
    }

    private TextVariant Variant(YamlNode node, Mark start)
    {
        string? from = null, to = null;
        var count = 1;
        foreach (var (key, value) in Mapping(node, "a variant"))
        {
            switch (Text(key))
            {
                case "from": from = Text(value); break;
                case "to": to = Text(value); break;
                case "count": count = Number(value); break;
                case var unknown: throw Error(key.Start, $"an edit has no '{unknown}'");
            }
        }

        if (string.IsNullOrEmpty(from) || to is null)
            throw Error(start, "an edit needs 'file', 'from' and 'to'");
        return to.Length <= from.Length
            ? new TextVariant(from, to, count)
            : throw Error(start, $"'{to}' is longer than '{from}', and an edit cannot make a program longer");
    }

    private Wrapper Wrap(YamlNode node)
    {
        IReadOnlyList<string> arguments = [];
        IReadOnlyDictionary<string, string> environment = new Dictionary<string, string>();
        foreach (var (key, value) in Mapping(node, "a wrapper"))
        {
            switch (Text(key))
            {
                case "arguments": arguments = Texts(value); break;
                case "environment": environment = Map(value, Text); break;
                case var unknown: throw Error(key.Start, $"a wrapper has no '{unknown}'");
            }
        }

        return new Wrapper(arguments, environment);
    }

    private string Package(YamlNode node)
        => PackageEntry.Fault(Text(node)) is { } fault ? throw Error(node.Start, fault) : Text(node);

    private string ForArchitectures(YamlNode node)
        => ArchitectureList.Fault(Text(node)) is { } fault ? throw Error(node.Start, fault) : Text(node);

    private string Variable(YamlNode node)
        => Text(node) is var name && name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_')
            ? name
            : throw Error(node.Start, $"'{name}' is no name of a variable");

    private bool Boolean(YamlNode node) => OneOf(node, ["true", "false"]) == "true";

    private string OneOf(YamlNode node, IEnumerable<string> known)
        => known.Contains(Text(node)) ? Text(node) : throw Error(node.Start, $"'{Text(node)}' is none of {string.Join(", ", known)}");

    private Dictionary<string, T> Map<T>(YamlNode node, Func<YamlNode, T> read) => Map(node, Text, read);

    private Dictionary<string, T> Map<T>(YamlNode node, Func<YamlNode, string> key, Func<YamlNode, T> read)
        => Mapping(node, "this").ToDictionary(pair => key(pair.Key), pair => read(pair.Value), StringComparer.Ordinal);

    private IReadOnlyList<string> Texts(YamlNode node) => [.. Items(node).Select(Text)];

    private IList<YamlNode> Items(YamlNode node)
        => node is YamlSequenceNode list ? list.Children : throw Error(node.Start, "a list is expected here");

    private IEnumerable<KeyValuePair<YamlNode, YamlNode>> Mapping(YamlNode node, string what)
        => node is YamlMappingNode map ? map.Children : throw Error(node.Start, $"{what} must be 'key: value' lines");

    private string Text(YamlNode node)
        => TextOrNothing(node) ?? throw Error(node.Start, "a text is expected here");

    private string? TextOrNothing(YamlNode node) => node switch
    {
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "~" or "null" } => null,
        YamlScalarNode { Value: { } text } => text,
        _ => throw Error(node.Start, "a text is expected here"),
    };

    private int Number(YamlNode node)
        => int.TryParse(Text(node), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw Error(node.Start, $"'{Text(node)}' is no positive number");

    private ImageBuildException Error(Mark at, string what)
        => new($"{_source}, line {at.Line}, column {at.Column}: {what}.");
}
