namespace Crashcart.Image;

/// <summary>Edits of byte arrays that keep their length.</summary>
internal static class Bytes
{
    public static IReadOnlyList<int> Occurrences(ReadOnlySpan<byte> content, ReadOnlySpan<byte> wanted)
    {
        var places = new List<int>();
        for (var from = 0; content[from..].IndexOf(wanted) is >= 0 and var at; from += at + 1)
            places.Add(from + at);
        return places;
    }

    /// <returns>A changed copy.</returns>
    public static byte[] Overwrite(byte[] content, IEnumerable<int> places, ReadOnlySpan<byte> with)
    {
        byte[] edited = [.. content];
        foreach (var place in places)
            with.CopyTo(edited.AsSpan(place));
        return edited;
    }

    /// <exception cref="ImageBuildException"><paramref name="from"/> does not occur <paramref name="count"/> times.</exception>
    public static byte[] Replace(byte[] content, byte[] from, byte[] to, int count, string what)
    {
        var places = Occurrences(content, from);
        return places.Count == count ? Overwrite(content, places, to) : throw Miscounted((what, places.Count, count));
    }

    public static ImageBuildException Miscounted(params IReadOnlyList<(string What, int Found, int Expected)> sought) => new(
        $"Looked for {string.Join(", and for ", sought.Select(s => $"{s.What} and found it {s.Found} times where {s.Expected} is right"))}: "
        + "this version of the package is not known, and an image with it would not be safe. Use a release that the recipe is made for, "
        + "or correct the edit.");
}
