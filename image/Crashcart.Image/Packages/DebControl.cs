namespace Crashcart.Image;

/// <summary>A paragraph of fields, deb-control(5).</summary>
internal static class DebControl
{
    /// <summary>A continued field keeps its line breaks; of a field that occurs twice the first counts.</summary>
    public static IReadOnlyDictionary<string, string> Parse(string paragraph)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string? name = null;
        foreach (var line in paragraph.Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line[0] is ' ' or '\t')
            {
                if (name is not null)
                    fields[name] += "\n" + line.Trim();
                continue;
            }

            var colon = line.IndexOf(':');
            name = colon > 0 && fields.TryAdd(line[..colon], line[(colon + 1)..].Trim()) ? line[..colon] : null;
        }

        return fields;
    }
}
