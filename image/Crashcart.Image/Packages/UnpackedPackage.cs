namespace Crashcart.Image;

/// <summary>A package's files, and what it says of itself.</summary>
/// <param name="Package">The package.</param>
/// <param name="Architecture">Debian's name, or <c>all</c>.</param>
/// <param name="Source">The source package that it was built from.</param>
/// <param name="SourceVersion">Of that one.</param>
/// <param name="Entries">Files and links; empty once they are in a tree.</param>
internal sealed record UnpackedPackage(
    DebPackage Package, string Architecture, string Source, string SourceVersion, IReadOnlyList<DebEntry> Entries)
{
    public static UnpackedPackage Read(DebPackage package, HostProgram dpkgDeb, CancellationToken cancel)
    {
        var (fields, entries) = package.Read(dpkgDeb, cancel);
        // "source (version)", without the version when it is the package's own, and nothing when the name is too.
        var source = fields.GetValueOrDefault("Source", package.Name).Split(' ', 2);
        var version = source.Length == 2 ? source[1].Trim('(', ')') : package.Version;
        return new UnpackedPackage(package, fields["Architecture"], source[0], version, entries);
    }
}
