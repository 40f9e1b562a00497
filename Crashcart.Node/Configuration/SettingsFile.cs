using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Crashcart.Node.Configuration;

/// <summary>A YAML file that holds one mapping of settings: <c>name: value</c>, or <c>name: [value, …]</c>.</summary>
internal static class SettingsFile
{
    /// <summary>The file's values with the line and column that each came from.</summary>
    /// <exception cref="SettingsException">Unreadable, not YAML, an unknown name, or a value of the wrong shape.</exception>
    public static Dictionary<Setting, SettingValue> Read(string path, IReadOnlyList<Setting> known)
    {
        var values = new Dictionary<Setting, SettingValue>();
        if (Root(path) is not { } root)
            return values;
        if (root is not YamlMappingNode mapping)
            throw At(path, root, "the file must be a list of 'name: value' lines");

        foreach (var (key, value) in mapping.Children)
        {
            var name = (key as YamlScalarNode)?.Value;
            var setting = known.FirstOrDefault(s => s.Name == name) ?? throw At(path, key,
                $"unknown setting '{name}'; known are {string.Join(", ", known.Select(s => s.Name))}");
            values.Add(setting, new SettingValue(Texts(path, setting, value), Position(path, value)));
        }

        return values;
    }

    private static YamlNode? Root(string path)
    {
        try
        {
            using var reader = File.OpenText(path);
            var stream = new YamlStream();
            stream.Load(reader);
            return stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode;
        }
        catch (YamlException e)
        {
            throw new SettingsException($"{path}:{e.Start.Line}:{e.Start.Column}: not valid YAML: {e.Message}", e);
        }
        // The library has others for some of what is no YAML.
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            throw new SettingsException($"{path}: not valid YAML: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Could not read the configuration file {path}: {e.Message}", e);
        }
    }

    private static string[] Texts(string path, Setting setting, YamlNode value) => value switch
    {
        YamlScalarNode { Value: { Length: > 0 } text } => [text],
        YamlSequenceNode sequence when setting.Repeats => [.. sequence.Children.SelectMany(c => Scalar(path, setting, c))],
        YamlSequenceNode => throw At(path, value, $"'{setting.Name}' takes one value, not a list"),
        _ => throw At(path, value, $"'{setting.Name}' needs a value"),
    };

    private static string[] Scalar(string path, Setting setting, YamlNode item) =>
        item is YamlScalarNode ? Texts(path, setting, item) : throw At(path, item, $"'{setting.Name}' takes a list of plain values");

    private static SettingsException At(string path, YamlNode node, string problem) => new($"{Position(path, node)}: {problem}.");

    private static string Position(string path, YamlNode node) => $"{path}:{node.Start.Line}:{node.Start.Column}";
}
