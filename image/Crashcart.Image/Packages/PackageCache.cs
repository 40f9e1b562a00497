using System.Security.Cryptography;

namespace Crashcart.Image;

/// <summary>Package files by their hash; those that no build has used for a month go.</summary>
internal sealed class PackageCache
{
    private static readonly TimeSpan KeptUnused = TimeSpan.FromDays(30);

    private readonly string _directory;

    public PackageCache(string cacheDirectory)
    {
        _directory = Path.Combine(cacheDirectory, "packages");
        Directory.CreateDirectory(_directory);
    }

    /// <returns>The package's file, noted as used; null when it is not here.</returns>
    public string? Find(LockedPackage package)
    {
        var path = PathOf(package);
        if (!File.Exists(path))
            return null;
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        if (DebPackage.QuickPathOf(path) is var quick && File.Exists(quick))
            File.SetLastWriteTimeUtc(quick, DateTime.UtcNow);
        return path;
    }

    /// <summary>Takes over a file that was fetched.</summary>
    /// <exception cref="ImageBuildException">It is not what the package should be.</exception>
    public void Add(LockedPackage package, string file)
    {
        var hash = Hash(file);
        if (hash != package.Sha256)
            throw new ImageBuildException(
                $"{package} was fetched with the SHA-256 {hash}, and {package.Sha256} is right: it was not used.");
        var partial = PathOf(package) + ".partial";
        File.Move(file, partial, overwrite: true);
        File.SetLastWriteTimeUtc(partial, DateTime.UtcNow);
        File.Move(partial, PathOf(package), overwrite: true);
    }

    /// <summary>Drops what has not been used for long.</summary>
    public void DropUnused(DateTime now)
    {
        foreach (var file in Directory.EnumerateFiles(_directory).Where(f => now - File.GetLastWriteTimeUtc(f) > KeptUnused))
            File.Delete(file);
    }

    private static string Hash(string file)
    {
        using var content = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }

    private string PathOf(LockedPackage package) => Path.Combine(_directory, package.Sha256 + ".deb");
}
