namespace Crashcart.Native;

/// <summary>Refuses what makes no sense before anything is touched.</summary>
internal static class ToolSpecCheck
{
    /// <exception cref="CrashcartException">Says which part of the request is wrong.</exception>
    public static void Require(ToolSpec spec, ToolStreams streams)
    {
        if (spec.Arguments.Count == 0 || spec.Arguments[0].Length == 0)
            throw Bad("There is no tool to run: name one");
        foreach (string text in (string[])[.. spec.Arguments, .. spec.Environment, spec.User ?? "", spec.WorkingDirectory ?? ""])
        {
            if (text.Contains('\0'))
                throw Bad($"'{text.Replace("\0", "\\0", StringComparison.Ordinal)}' has a NUL character, which no argument can have: leave it out");
        }
        if (spec.Environment.FirstOrDefault(variable => variable.IndexOf('=', StringComparison.Ordinal) < 1) is { } variable)
            throw Bad($"'{variable}' is not of the form NAME=VALUE: give the variable a value");
        if (spec.WorkingDirectory is { } directory && !directory.StartsWith('/'))
            throw Bad($"The working directory '{directory}' is not absolute: begin it with '/'");
        if (spec.Terminal is null == (streams == ToolStreams.Terminal))
            throw Bad("A terminal needs a size, and only a terminal has one: give both or none");
        if (spec.Limits.MemoryBytes is <= 0 || spec.Limits.Processes is <= 0)
            throw Bad("A limit of memory or processes has to be positive: raise it, or leave it out");
        if (spec.Limits.NanoCpus is < SessionLimits.LeastNanoCpus or > SessionLimits.MostNanoCpus)
            throw Bad("A limit of processors has to be from 0.01 to 8192: change it, or leave it out");
        if (!spec.SessionName.Split('/').All(IsSessionNamePart))
            throw Bad($"'{spec.SessionName}' cannot name a session: use letters, digits and -_./, no part empty or beginning with a dot");
    }

    private static bool IsSessionNamePart(string part) =>
        part.Length is > 0 and <= 200 && part[0] != '.' && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static CrashcartException Bad(string sentence) => new(FailureReason.BadRequest, sentence + ".");
}
