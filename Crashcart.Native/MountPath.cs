namespace Crashcart.Native;

/// <summary>
/// Where an image is in a container: <c>/dev/crashcart</c>, which is the default value, or beside it
/// <c>/dev/crashcart-NAME</c>. No other names: whatever begins so in a container's /dev is Crashcart's to make and to remove.
/// </summary>
public readonly record struct MountPath
{
    private const int LongestName = 32;

    private readonly string? _name;

    private MountPath(string name) => _name = name;

    /// <summary>The one that toolbox images are built for, and the only one that sessions use.</summary>
    public bool IsDefault => _name is null;

    /// <summary>In the container's /dev.</summary>
    internal string DirectoryName => IsDefault ? "crashcart" : "crashcart-" + _name;

    /// <exception cref="CrashcartException">It is no such path.</exception>
    public static MountPath Parse(string text) => TryParse(text) ?? throw new CrashcartException(
        FailureReason.BadRequest,
        $"'{text}' is no place for an image: give {SharedMount.Path}, or {SharedMount.Path}-NAME with up to {LongestName} letters, digits, '.', '_' or '-'.");

    internal static MountPath? TryParse(string text)
    {
        if (text == SharedMount.Path)
            return default(MountPath);
        const string start = SharedMount.Path + "-";
        return text.StartsWith(start, StringComparison.Ordinal) && IsName(text.AsSpan(start.Length)) ? new MountPath(text[start.Length..]) : null;
    }

    public override string ToString() => "/dev/" + DirectoryName;

    private static bool IsName(ReadOnlySpan<char> name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
                return false;
        }
        return name.Length is > 0 and <= LongestName;
    }
}
