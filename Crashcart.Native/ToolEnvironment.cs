namespace Crashcart.Native;

/// <summary>The environment that a tool starts with. Nothing of this process's own goes in, and of the container's only PATH.</summary>
internal static class ToolEnvironment
{
    private const string UsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const int LongestPath = 4096;

    /// <summary>Where a tool without a slash is looked up, in order: the toolbox, then the container's PATH.</summary>
    /// <param name="containerEnvironment">The text of /proc/PID/environ, or null.</param>
    public static IReadOnlyList<string> SearchPath(string? containerEnvironment) =>
        [SharedMount.Path + "/bin", SharedMount.Path + "/sbin", .. ContainerPath(containerEnvironment).Split(':')];

    /// <summary>NAME=VALUE, later ones of the same name in place of earlier ones. HOME is the helper program's to add.</summary>
    public static IReadOnlyList<string> Variables(ToolSpec spec, IEnumerable<string> searchPath)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = string.Join(':', searchPath),
            ["LANG"] = "C.UTF-8",
        };
        if (spec.Terminal is not null)
            variables["TERM"] = "xterm";
        foreach (string variable in spec.Environment)
        {
            int equals = variable.IndexOf('=', StringComparison.Ordinal);
            variables[variable[..equals]] = variable[(equals + 1)..];
        }
        return [.. variables.Select(variable => $"{variable.Key}={variable.Value}")];
    }

    // The container wrote it: it is used only when it is what a PATH usually is.
    private static string ContainerPath(string? environment)
    {
        string? path = environment?.Split('\0').FirstOrDefault(variable => variable.StartsWith("PATH=", StringComparison.Ordinal))?[5..];
        return path is not null && IsSane(path) ? path : UsualPath;
    }

    private static bool IsSane(string path) =>
        path.Length <= LongestPath
        && path.All(c => c is > ' ' and < '\x7f')
        && path.Split(':').All(directory => directory.StartsWith('/'));
}
