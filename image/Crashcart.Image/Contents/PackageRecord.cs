namespace Crashcart.Image;

/// <summary>What is told of a package that an image has files of.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Debian's version.</param>
/// <param name="Architecture">Debian's name, or <c>all</c>.</param>
/// <param name="Sha256">Of the package file.</param>
/// <param name="Source">The source package that it was built from.</param>
/// <param name="SourceVersion">Of that one.</param>
/// <param name="Licence">An SPDX expression; null when its copyright file is for people only.</param>
/// <param name="Files">How many files and links of it the image has.</param>
internal sealed record PackageRecord(
    string Name, string Version, string Architecture, string Sha256, string Source, string SourceVersion, string? Licence, int Files)
{
    /// <summary>Records of the packages that the tree has files of.</summary>
    /// <param name="packages">Those that the tree was made of.</param>
    /// <param name="tree">Complete, with its copyright files.</param>
    public static IReadOnlyList<PackageRecord> Of(IReadOnlyList<UnpackedPackage> packages, Tree tree)
    {
        var files = tree.Entries.CountBy(e => e.Value.Package).ToDictionary();
        return
        [
            .. from package in packages
               let name = package.Package.Name
               where files.ContainsKey(name)
               select new PackageRecord(
                   name,
                   package.Package.Version,
                   package.Architecture,
                   package.Package.Sha256,
                   package.Source,
                   package.SourceVersion,
                   LicenceOf(tree, name),
                   files[name]),
        ];
    }

    private static string? LicenceOf(Tree tree, string package)
        => tree.FileAt($"share/doc/{package}/copyright") is { } file ? CopyrightFile.Licence(file.Content) : null;
}
