namespace Crashcart.Actors.Policies;

/// <summary>A profile that a policy defines. Sets are bit masks of capabilities(7).</summary>
/// <param name="Base">The built-in one whose capabilities, devices and security label it has.</param>
/// <param name="Capabilities">In place of the base's; null: the base's.</param>
/// <param name="Added">Beside those.</param>
/// <param name="Dropped">Never given.</param>
/// <param name="FiltersCalls">System calls are a container's.</param>
public sealed record PolicyProfile(string Name, string Base, ulong? Capabilities, ulong Added, ulong Dropped, bool FiltersCalls, bool NoNewPrivileges)
{
    public const string Default = "debug";
    public const string Restricted = "restricted";
    public const string Privileged = "privileged";

    /// <summary>Those that need no definition.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } = [Restricted, Default, Privileged];

    /// <summary>What who uses it may add (--cap-add).</summary>
    public ulong MayAdd { get; init; }
}
