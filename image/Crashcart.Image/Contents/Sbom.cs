using System.Globalization;
using System.Text.Json;

namespace Crashcart.Image;

/// <summary>An image's bill of materials, SPDX 2.3, in <c>sbom.spdx.json</c>.</summary>
internal static class Sbom
{
    public const string Path = "sbom.spdx.json";

    private const string Unknown = "NOASSERTION";
    private const string Image = "SPDXRef-image";

    /// <param name="recipe">For the image's architecture.</param>
    /// <param name="release">The archive that the packages are from, like <c>Debian bookworm</c>.</param>
    /// <param name="packages">Those that the tree has files of.</param>
    /// <param name="content">The image's digest of content.</param>
    public static byte[] Write(Recipe recipe, string release, IReadOnlyList<PackageRecord> packages, string content) => JsonText.Of(writer =>
    {
        var digest = content.Split(':')[^1];
        writer.WriteString("spdxVersion", "SPDX-2.3");
        writer.WriteString("dataLicense", "CC0-1.0");
        writer.WriteString("SPDXID", "SPDXRef-DOCUMENT");
        writer.WriteString("name", $"{recipe.Name}-{recipe.Architecture}");
        writer.WriteString("documentNamespace", $"https://spdx.org/spdxdocs/crashcart-{recipe.Name}-{recipe.Architecture}-{digest}");
        writer.WriteStartObject("creationInfo");
        writer.WriteString("created", DateTimeOffset.FromUnixTimeSeconds(FileSystem.Epoch).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        writer.WriteStartArray("creators");
        writer.WriteStringValue("Tool: crashcart");
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteStartArray("packages");
        WriteImage(writer, recipe, digest);
        foreach (var package in packages)
            Write(writer, package, release);
        writer.WriteEndArray();
        WriteLicences(writer, packages);
        WriteRelationships(writer, packages);
    });

    private static void WriteImage(Utf8JsonWriter writer, Recipe recipe, string digest)
    {
        writer.WriteStartObject();
        writer.WriteString("name", recipe.Name);
        writer.WriteString("SPDXID", Image);
        writer.WriteString("versionInfo", digest);
        writer.WriteString("primaryPackagePurpose", "ARCHIVE");
        writer.WriteString("downloadLocation", Unknown);
        writer.WriteBoolean("filesAnalyzed", false);
        writer.WriteString("comment", Manifest.Modified);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, PackageRecord package, string release)
    {
        writer.WriteStartObject();
        writer.WriteString("name", package.Name);
        writer.WriteString("SPDXID", Id(package));
        writer.WriteString("versionInfo", package.Version);
        writer.WriteString("downloadLocation", Unknown);
        writer.WriteBoolean("filesAnalyzed", false);
        writer.WriteString("sourceInfo", $"built from the source package {package.Source} {package.SourceVersion}");
        writer.WriteString("licenseConcluded", Unknown);
        writer.WriteString("licenseDeclared", package.Licence ?? Unknown);
        writer.WriteString("copyrightText", Unknown);
        writer.WriteStartArray("checksums");
        writer.WriteStartObject();
        writer.WriteString("algorithm", "SHA256");
        writer.WriteString("checksumValue", package.Sha256);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteStartArray("externalRefs");
        writer.WriteStartObject();
        writer.WriteString("referenceCategory", "PACKAGE-MANAGER");
        writer.WriteString("referenceType", "purl");
        writer.WriteString("referenceLocator", PackageUrl(package, release));
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteLicences(Utf8JsonWriter writer, IReadOnlyList<PackageRecord> packages)
    {
        var references = from package in packages
                         from reference in CopyrightFile.References(package.Licence ?? "")
                         group package.Name by reference into used
                         orderby used.Key
                         select used;
        writer.WriteStartArray("hasExtractedLicensingInfos");
        foreach (var reference in references)
        {
            writer.WriteStartObject();
            writer.WriteString("licenseId", reference.Key);
            writer.WriteString("name", reference.Key["LicenseRef-".Length..]);
            writer.WriteString("extractedText", $"See {Tree.MountPoint}/share/doc/{reference.First()}/copyright in the image.");
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteRelationships(Utf8JsonWriter writer, IReadOnlyList<PackageRecord> packages)
    {
        writer.WriteStartArray("relationships");
        Relate("SPDXRef-DOCUMENT", "DESCRIBES", Image);
        foreach (var package in packages)
            Relate(Image, "CONTAINS", Id(package));
        writer.WriteEndArray();

        void Relate(string from, string how, string to)
        {
            writer.WriteStartObject();
            writer.WriteString("spdxElementId", from);
            writer.WriteString("relationshipType", how);
            writer.WriteString("relatedSpdxElement", to);
            writer.WriteEndObject();
        }
    }

    /// <summary>SPDX ids know letters, digits, dots and dashes.</summary>
    private static string Id(PackageRecord package) => $"SPDXRef-{package.Name.Replace("+", ".plus", StringComparison.Ordinal)}";

    private static string PackageUrl(PackageRecord package, string release)
        => $"pkg:deb/{release.Split(' ')[0].ToLowerInvariant()}/{Uri.EscapeDataString(package.Name)}@{Uri.EscapeDataString(package.Version)}"
            + $"?arch={package.Architecture}";
}
