using System.Text;
using System.Text.RegularExpressions;

namespace Crashcart.Image;

/// <summary>Reads the licences out of a machine-readable debian/copyright, copyright-format 1.0.</summary>
internal static partial class CopyrightFile
{
    /// <summary>Debian's short names that SPDX has another name for.</summary>
    private static readonly Dictionary<string, string> Spdx = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Expat"] = "MIT",
        ["MIT"] = "MIT",
        ["X11"] = "X11",
        ["ISC"] = "ISC",
        ["Zlib"] = "Zlib",
        ["curl"] = "curl",
        ["PSF-2"] = "PSF-2.0",
        ["Apache-2.0"] = "Apache-2.0",
        ["Artistic"] = "Artistic-1.0-Perl",
        ["Artistic-2.0"] = "Artistic-2.0",
        ["CC0-1.0"] = "CC0-1.0",
        ["BSD-2-clause"] = "BSD-2-Clause",
        ["BSD-3-clause"] = "BSD-3-Clause",
        ["BSD-4-clause"] = "BSD-4-Clause",
        ["0BSD"] = "0BSD",
        ["MPL-2.0"] = "MPL-2.0",
        ["Unicode"] = "Unicode-DFS-2016",
        ["BSL-1.0"] = "BSL-1.0",
        ["OpenLDAP-2.8"] = "OLDAP-2.8",
    };

    /// <returns>An SPDX expression; null when the file is for people only, or too odd.</returns>
    public static string? Licence(byte[] content)
    {
        var paragraphs = Encoding.UTF8.GetString(content).ReplaceLineEndings("\n").Split("\n\n").Select(DebControl.Parse).ToList();
        if (paragraphs.FirstOrDefault() is not { } header || !header.TryGetValue("Format", out var format) || !format.Contains("copyright-format"))
            return null;
        var synopses = paragraphs.Where(p => p.ContainsKey("Files") && p.ContainsKey("License"))
            .Select(p => p["License"].Split('\n')[0].Trim())
            .Where(s => s.Length > 0)
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ToList();
        return synopses.Count == 0 ? null : string.Join(" AND ", synopses.Select(s => Expression(s, alone: synopses.Count == 1)).Distinct());
    }

    /// <summary>Names of the form LicenseRef-… in an expression.</summary>
    public static IEnumerable<string> References(string expression) => Reference().Matches(expression).Select(m => m.Value);

    private static string Expression(string synopsis, bool alone)
    {
        if (synopsis.Contains(','))
            return Name(synopsis);
        // As in SPDX, 'and' holds together more than 'or'.
        var choices = Or().Split(synopsis).Select(choice => string.Join(" AND ", And().Split(choice).Select(Name))).ToList();
        var expression = string.Join(" OR ", choices);
        return choices.Count > 1 && !alone ? $"({expression})" : expression;
    }

    private static string Name(string name)
    {
        name = name.Trim();
        if (Spdx.TryGetValue(name, out var known))
            return known;
        if (Gnu().Match(name) is { Success: true } gnu)
        {
            var version = gnu.Groups["version"].Value;
            return $"{gnu.Groups["family"].Value.ToUpperInvariant()}-{(version.Contains('.') ? version : version + ".0")}"
                + (gnu.Groups["later"].Length > 0 ? "-or-later" : "-only");
        }

        return "LicenseRef-" + NotInName().Replace(name.Replace("+", "-or-later", StringComparison.Ordinal), "-").Trim('-');
    }

    [GeneratedRegex(@"^(?<family>A?GPL|LGPL|GFDL)-(?<version>\d(\.\d)?)(\.0)?(?<later>\+)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Gnu();

    [GeneratedRegex(@"\s+or\s+", RegexOptions.IgnoreCase)]
    private static partial Regex Or();

    [GeneratedRegex(@"\s+and\s+", RegexOptions.IgnoreCase)]
    private static partial Regex And();

    [GeneratedRegex("[^A-Za-z0-9.-]+")]
    private static partial Regex NotInName();

    [GeneratedRegex("LicenseRef-[A-Za-z0-9.-]+")]
    private static partial Regex Reference();
}
