using System.Text;

namespace Crashcart.Image;

/// <summary>The environment that tools are started with.</summary>
internal static class SessionVariables
{
    /// <summary>The recipe's variables in the image, a line each.</summary>
    public const string Path = "etc/environment";

    /// <summary>What a session sets whatever the image.</summary>
    private static readonly Dictionary<string, string> Always = new()
    {
        ["PATH"] = Tree.MountPoint + "/bin:/bin",
        ["HOME"] = "/",
        ["TERM"] = "xterm",
        ["LANG"] = "C.UTF-8",
    };

    public static IReadOnlyDictionary<string, string> Of(Recipe recipe)
    {
        var all = new Dictionary<string, string>(Always);
        foreach (var (name, value) in recipe.Environment)
            all[name] = value;
        return all;
    }

    public static byte[] Text(Recipe recipe)
        => Encoding.UTF8.GetBytes(string.Concat(
            recipe.Environment.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}\n")));
}
