using System.Text;

namespace Crashcart.Image;

/// <summary>Makes scripts run by the image's interpreters, with the image's programs before the container's.</summary>
internal static class Shebang
{
    /// <returns>The script with its first line changed, or null when the image has no such interpreter.</returns>
    public static byte[]? Relocate(byte[] script, Tree tree)
    {
        var end = script.AsSpan().IndexOf((byte)'\n');
        var line = Encoding.UTF8.GetString(end < 0 ? script.AsSpan(2) : script.AsSpan(2, end - 2)).Trim();
        if (line.StartsWith(Tree.MountPoint + "/", StringComparison.Ordinal))
            return script;

        var words = line.Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length == 2 && Path.GetFileName(words[0]) == "env")
            words = words[1].Split(' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.Length == 0)
            return null;

        var interpreter = Path.GetFileName(words[0]);
        if (tree.FileAt("bin/" + interpreter) is null)
            return null;
        var first = new StringBuilder($"#!{Tree.MountPoint}/bin/{interpreter}");
        if (words.Length == 2)
            first.Append(' ').Append(words[1]);
        first.Append('\n');
        if (interpreter is "sh" or "bash" or "dash")
            first.Append($"PATH={Tree.MountPoint}/bin:$PATH\n");
        return [.. Encoding.UTF8.GetBytes(first.ToString()), .. end < 0 ? [] : script.AsSpan(end + 1)];
    }
}
