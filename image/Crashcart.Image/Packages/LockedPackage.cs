namespace Crashcart.Image;

/// <summary>One package of an archive, exactly.</summary>
/// <param name="Name">The package's name.</param>
/// <param name="Version">Debian's version, with epoch and revision.</param>
/// <param name="Architecture">Debian's name, or <c>all</c>.</param>
/// <param name="Size">Of the package file, in bytes.</param>
/// <param name="Sha256">Of the package file, lower-case hexadecimal.</param>
internal sealed record LockedPackage(string Name, string Version, string Architecture, long Size, string Sha256)
{
    /// <summary>What apt-get(8) calls it.</summary>
    public string Exactly => $"{Name}={Version}";

    public override string ToString() => $"{Name} {Version}";
}
