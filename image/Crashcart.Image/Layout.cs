namespace Crashcart.Image;

/// <summary>Where a file of a Debian package goes in an image.</summary>
internal sealed class Layout
{
    /// <summary>The first prefix that matches decides; null leaves the file out.</summary>
    private readonly (string From, string? To)[] _rules;

    public Layout(Architecture architecture) => _rules =
    [
        ("lib/terminfo/", "share/terminfo/"),
        ("usr/lib/terminfo/", "share/terminfo/"),
        ("usr/lib/debug/", null),
        // update-alternatives(1) would link it where the loader looks.
        ($"usr/lib/{architecture.Triplet}/blas/", "lib/"),
        ($"usr/lib/{architecture.Triplet}/", "lib/"),
        ($"lib/{architecture.Triplet}/", "lib/"),
        ("usr/lib64/", "lib/"),
        ("lib64/", "lib/"),
        ("usr/lib/", "lib/"),
        ("lib/", "lib/"),
        ("usr/libexec/", "libexec/"),
        ("usr/sbin/", "bin/"),
        ("usr/bin/", "bin/"),
        ("sbin/", "bin/"),
        ("bin/", "bin/"),
        ("usr/share/", "share/"),
        ("etc/", "etc/"),
    ];

    /// <param name="path">A file's or a directory's path in the package, without a leading slash.</param>
    /// <returns>Its path in the image, or null when it has no place there.</returns>
    public string? Map(string path)
    {
        // A directory that a rule names stands for the rule itself.
        var probe = path + "/";
        foreach (var (from, to) in _rules)
        {
            if (probe.StartsWith(from, StringComparison.Ordinal))
                return to is null ? null : (to + probe[from.Length..]).TrimEnd('/');
        }

        return null;
    }


    /// <summary>A link's target as a path from the root, without a leading slash.</summary>
    public static string Normalize(string path, string target)
        => Path.GetFullPath(target, Path.GetDirectoryName("/" + path) ?? "/").TrimStart('/');
}
