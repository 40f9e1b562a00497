using System.Globalization;

namespace Crashcart.Node.Configuration;

/// <param name="Texts">Never empty.</param>
/// <param name="Origin">As a person would name it: a flag, a variable, FILE:LINE:COLUMN, or "default".</param>
internal sealed record SettingValue(IReadOnlyList<string> Texts, string Origin);

/// <summary>What is in force, and where each value came from.</summary>
public sealed class Settings
{
    private readonly IReadOnlyList<Setting> _known;
    private readonly IReadOnlyDictionary<Setting, SettingValue> _values;

    internal Settings(IReadOnlyList<Setting> known, IReadOnlyDictionary<Setting, SettingValue> values)
    {
        _known = known;
        _values = values;
    }

    /// <summary>The value, or the setting's default.</summary>
    public string? Text(Setting setting) => All(setting) is [.., var last] ? last : null;

    public IReadOnlyList<string> All(Setting setting) =>
        _values.TryGetValue(setting, out var value) ? value.Texts : setting.Default is { } text ? [text] : [];

    /// <exception cref="SettingsException">Neither true nor false.</exception>
    public bool IsOn(Setting setting) => Text(setting) switch
    {
        null or "false" or "no" or "off" or "0" => false,
        "true" or "yes" or "on" or "1" => true,
        _ => throw Wrong(setting, "neither true nor false"),
    };

    /// <exception cref="SettingsException">Not a whole number in the range.</exception>
    public int Number(Setting setting, int min, int max) =>
        int.TryParse(Text(setting), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= min && n <= max
            ? n
            : throw Wrong(setting, $"not a whole number from {min} to {max}");

    /// <summary>A size in bytes; <c>K</c>, <c>M</c>, <c>G</c>, <c>T</c> (also <c>KiB</c>…) are powers of 1024.</summary>
    /// <exception cref="SettingsException">Not a size.</exception>
    public long Bytes(Setting setting)
    {
        var text = (Text(setting) ?? "").Trim();
        var number = text.TrimEnd('K', 'M', 'G', 'T', 'k', 'm', 'g', 't', 'i', 'B', 'b', ' ');
        var shift = text[number.Length..].Trim().ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            "T" or "TB" or "TIB" => 40,
            _ => -1,
        };
        if (shift < 0 || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n > long.MaxValue >> shift)
            throw Wrong(setting, "not a size; write bytes, or for instance 512MiB or 1GiB");
        return n << shift;
    }

    /// <summary>Where the value came from.</summary>
    public string Origin(Setting setting) =>
        _values.TryGetValue(setting, out var value) ? value.Origin : setting.Default is null ? "not set" : "default";

    /// <summary>An error about a value: names the setting, the value, where it came from and what is wrong with it.</summary>
    public SettingsException Wrong(Setting setting, string problem) =>
        new($"The setting {setting.Name} = '{Text(setting)}' ({Origin(setting)}) is {problem}.");

    /// <summary>One line a setting: what is in force, and where from.</summary>
    public void Print(TextWriter output)
    {
        foreach (var setting in _known)
            output.WriteLine($"{setting.Name}: {string.Join(", ", All(setting))}  # {Origin(setting)}");
    }
}
