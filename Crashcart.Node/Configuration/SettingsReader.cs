using System.CommandLine;

namespace Crashcart.Node.Configuration;

/// <summary>
/// Reads settings from three places; a flag wins over the environment, the environment over the file, the file over
/// the default.
/// </summary>
/// <param name="defaultFile">Read when it exists and no other file is named by <c>--config</c> or CRASHCART_CONFIG.</param>
public sealed class SettingsReader(string defaultFile, IReadOnlyList<Setting> known)
{
    private const string ConfigVariable = "CRASHCART_CONFIG";

    private readonly Option<string> _config = new("--config")
    {
        HelpName = "FILE",
        Description = $"Configuration file (YAML). [{ConfigVariable}] [default: {defaultFile}]",
    };

    private readonly Dictionary<Setting, Option<string[]>> _flags = known.ToDictionary(s => s, Flag);

    /// <summary>Adds a flag for every setting, and <c>--config</c>.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_config);
        foreach (var setting in known)
            command.Options.Add(_flags[setting]);
    }

    /// <param name="environment">Environment.GetEnvironmentVariable, or a double.</param>
    /// <exception cref="SettingsException">The file is missing, unreadable or wrong.</exception>
    public Settings Read(ParseResult flags, Func<string, string?> environment)
    {
        var values = FromFile(flags.GetValue(_config) ?? NonEmpty(environment(ConfigVariable)));
        foreach (var setting in known)
            if ((FromFlag(setting, flags) ?? FromEnvironment(setting, environment)) is { } value)
                values[setting] = value;
        return new Settings(known, values);
    }

    private static Option<string[]> Flag(Setting setting) => new(setting.Flag)
    {
        HelpName = setting.Placeholder ?? "yes|no",
        Description = $"{setting.Description} [{setting.Variable}]"
            + (setting.Default is { } value && !setting.IsSwitch ? $" [default: {value}]" : ""),
        Arity = setting switch
        {
            { IsSwitch: true } => ArgumentArity.ZeroOrOne,
            { Repeats: true } => ArgumentArity.OneOrMore,
            _ => ArgumentArity.ExactlyOne,
        },
        CustomParser = result => [.. result.Tokens.Select(t => t.Value)],
    };

    private Dictionary<Setting, SettingValue> FromFile(string? named) => named is null && !File.Exists(defaultFile)
        ? []
        : SettingsFile.Read(named ?? defaultFile, known);

    private SettingValue? FromFlag(Setting setting, ParseResult flags) => flags.GetResult(_flags[setting]) switch
    {
        null or { Implicit: true } => null,
        { Tokens: [] } => new SettingValue(["true"], setting.Flag),
        { Tokens: var tokens } => new SettingValue([.. tokens.Select(t => t.Value)], setting.Flag),
    };

    private static SettingValue? FromEnvironment(Setting setting, Func<string, string?> environment)
    {
        foreach (var variable in new[] { setting.Variable, setting.ForeignVariable })
        {
            if (variable is null || NonEmpty(environment(variable)) is not { } text)
                continue;
            var texts = setting.Repeats
                ? text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                : [text];
            if (texts.Length > 0)
                return new SettingValue(texts, variable);
        }

        return null;
    }

    private static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
