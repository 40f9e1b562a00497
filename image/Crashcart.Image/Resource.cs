namespace Crashcart.Image;

/// <summary>Files embedded in this library.</summary>
internal static class Resource
{
    public static byte[] Read(string name)
        => TryRead(name) ?? throw new InvalidOperationException($"{name} is not embedded.");

    /// <returns>Null when there is no such file.</returns>
    public static byte[]? TryRead(string name)
    {
        using var stream = typeof(Resource).Assembly.GetManifestResourceStream(name);
        if (stream is null)
            return null;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }

    /// <summary>What stands between the two in the names that have both.</summary>
    public static IReadOnlyList<string> Names(string before, string after) =>
    [
        .. from name in typeof(Resource).Assembly.GetManifestResourceNames()
           where name.StartsWith(before, StringComparison.Ordinal) && name.EndsWith(after, StringComparison.Ordinal)
           orderby name
           select name[before.Length..^after.Length],
    ];
}
