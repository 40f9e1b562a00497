using System.IO.Enumeration;
using System.Text;

namespace Crashcart.Image;

/// <summary>
/// Finds constants in programs that name a package's data where it is on a Debian host, while the image has it elsewhere: a
/// tool would look for it in the container, and find nothing or something that is not its own.
/// </summary>
internal sealed class PathLint(Tree tree, Architecture architecture, IReadOnlyDictionary<string, IReadOnlyList<string>> allowed)
{
    /// <summary>Not where programs are: those that a tool starts by a path are the container's.</summary>
    private static readonly string[] DataDirectories = ["/usr/share/", "/usr/lib/", "/usr/libexec/", "/lib/", "/etc/"];

    private readonly Layout _layout = new(architecture);
    private readonly Dictionary<string, bool> _known = [];

    public IEnumerable<string> Faults() =>
        from file in tree.Files
        where file.Value.IsElf
        from constant in Constants(file.Value.Content).Distinct()
        where IsOfTheImage(constant) && !IsAllowed(file.Key, constant)
        select $"{file.Key} names {constant}, which the image has elsewhere: edit it, or list it below lint-allow";

    /// <summary>Texts from one NUL to the next that are absolute paths of data.</summary>
    private static IEnumerable<string> Constants(byte[] content)
    {
        for (var at = 0; content.AsSpan(at).IndexOf("\0/"u8) is var start && start >= 0;)
        {
            at += start + 1;
            var length = content.AsSpan(at).IndexOf((byte)0);
            if (length < 0)
                yield break;
            if (DataDirectories.Any(directory => content.AsSpan(at, length).StartsWith(Encoding.ASCII.GetBytes(directory))))
                yield return Encoding.UTF8.GetString(content.AsSpan(at, length));
            at += length;
        }
    }

    private bool IsOfTheImage(string constant)
    {
        if (_known.TryGetValue(constant, out var known))
            return known;
        var path = _layout.Map(constant.Trim('/'));
        return _known[constant] = path is not null && path.Contains('/', StringComparison.Ordinal) && tree.Resolve(path) is not null;
    }

    private bool IsAllowed(string file, string constant)
        => allowed.Any(entry => Matches(entry.Key, file) && entry.Value.Any(path => Matches(path, constant)));

    private static bool Matches(string glob, string text) => FileSystemName.MatchesSimpleExpression(glob, text, ignoreCase: false);
}
