using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>One side of a copy, as the command line names it.</summary>
/// <param name="Target">The container; null for a path here.</param>
/// <param name="Path">Where; <c>-</c> here is standard input or output.</param>
internal sealed record CopyOperand(string? Target, string Path)
{
    public bool IsStream => Target is null && Path == "-";

    /// <summary>As a person typed it; harmless to a terminal.</summary>
    public string Name => SafeText.Of(Target is null ? Path : $"{Target}:{Path}");

    /// <summary>What stands before the first colon is a container, as docker(1) has it; a path that begins with / or . has none.</summary>
    /// <exception cref="CrashcartException">It is empty, or lacks the path in the container.</exception>
    public static CopyOperand Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var operand = colon < 0 || text[0] is '/' or '.' ? new CopyOperand(null, text) : new CopyOperand(text[..colon], text[(colon + 1)..]);
        if (operand.Path.Length == 0 || operand.Target is "")
            throw new CrashcartException(
                FailureReason.BadRequest, $"'{SafeText.Of(text)}' is no place to copy from or to; give CONTAINER:/PATH, NODE/CONTAINER:/PATH, or a path here.");
        if (text.Contains('\0', StringComparison.Ordinal))
            throw new CrashcartException(FailureReason.BadRequest, $"'{operand.Name}' has a NUL in it, which no path can have.");
        return operand;
    }
}
