using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Crashcart.Image;

/// <summary>The files that say where apt fetches packages from, sources.list(5).</summary>
internal sealed partial class AptSources
{
    /// <summary>What makes apt take what nobody signed.</summary>
    private static readonly string[] Insecure = ["trusted", "allow-insecure", "allow-weak", "allow-downgrade-to-insecure"];

    private readonly IReadOnlyList<(string Path, string Text)> _files;

    private AptSources(IReadOnlyList<string> paths) => _files = [.. paths.Select(path => (path, Read(path)))];

    /// <summary>Another digest means other sources.</summary>
    public string Digest => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(_files.Select(f => $"{f.Path}\0{f.Text}\0")))));

    /// <summary>One file, by its ending in the one-line or the deb822 style.</summary>
    public static AptSources Of(string file)
    {
        if (!File.Exists(file))
            throw new ImageBuildException($"There is no file of sources {file}.");
        return file.EndsWith(".list", StringComparison.Ordinal) || file.EndsWith(".sources", StringComparison.Ordinal)
            ? new AptSources([file])
            : throw new ImageBuildException($"apt tells the style of {file} by its ending: name it .list or .sources.");
    }

    /// <param name="main">sources.list.</param>
    /// <param name="parts">sources.list.d.</param>
    public static AptSources OfHost(string main, string parts)
    {
        var more = Directory.Exists(parts) ? Directory.EnumerateFiles(parts) : [];
        return new AptSources(
        [
            .. from path in more.Append(main)
               where File.Exists(path) && Path.GetExtension(path) is ".list" or ".sources"
               orderby path
               select path,
        ]);
    }

    /// <exception cref="ImageBuildException">A source is to be believed without a signature; names its file.</exception>
    public void RequireSigned()
    {
        foreach (var (path, text) in _files)
        {
            var options = text.Split('\n').Select(line => line.Trim()).Where(line => !line.StartsWith('#')).SelectMany(Options);
            foreach (var (name, value) in options)
            {
                if (Insecure.Contains(name.ToLowerInvariant()) && value.ToLowerInvariant() is not ("no" or "false" or "0" or "off"))
                    throw new ImageBuildException(
                        $"{path} says {name}={value}, which takes packages that nobody signed: an image is made of signed packages only. "
                        + "Take it out, or name other sources with --sources.");
            }
        }
    }

    private static IEnumerable<(string Name, string Value)> Options(string line)
    {
        if (Field().Match(line) is { Success: true } field)
            yield return (field.Groups["name"].Value, field.Groups["value"].Value);
        if (OneLine().Match(line) is not { Success: true } source)
            yield break;
        foreach (var option in source.Groups["options"].Value.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = option.Split('=', 2);
            yield return (parts[0].TrimEnd('+', '-'), parts[^1]);
        }
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageBuildException($"Cannot read apt's sources in {path}: {e.Message}", e);
        }
    }

    [GeneratedRegex(@"^(?<name>[A-Za-z-]+):\s*(?<value>\S+)\s*$")]
    private static partial Regex Field();

    [GeneratedRegex(@"^deb\s+\[(?<options>[^\]]*)\]")]
    private static partial Regex OneLine();
}
