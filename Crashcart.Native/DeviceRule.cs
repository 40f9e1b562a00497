using System.Globalization;

namespace Crashcart.Native;

/// <summary>One line of a v1 devices.list: what may be done with which device nodes.</summary>
/// <param name="Type">b, c, or a for both.</param>
/// <param name="Major">Null is every one.</param>
/// <param name="Minor">Null is every one.</param>
/// <param name="Access">Of r, w and m (make a node).</param>
internal readonly record struct DeviceRule(char Type, uint? Major, uint? Minor, string Access)
{
    /// <summary>Everything is allowed; a list that has this has no other line.</summary>
    public bool IsEverything => Type == 'a' && Major is null && Minor is null;

    /// <exception cref="FormatException">Not the text of a devices.list.</exception>
    public static IReadOnlyList<DeviceRule> ParseAll(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];

    /// <summary>As devices.allow takes it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Type} {Text(Major)}:{Text(Minor)} {Access}");

    private static DeviceRule Parse(string line)
    {
        string[] fields = line.Split([' ', ':']);
        if (fields.Length != 4 || fields[0] is not ("a" or "b" or "c"))
            throw new FormatException($"Not a line of devices.list: '{line}'");
        return new DeviceRule(fields[0][0], Number(fields[1]), Number(fields[2]), fields[3]);
    }

    private static uint? Number(string text) => text == "*" ? null : uint.Parse(text, CultureInfo.InvariantCulture);

    private static string Text(uint? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "*";
}
