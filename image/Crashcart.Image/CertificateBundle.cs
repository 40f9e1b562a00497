namespace Crashcart.Image;

/// <summary>One file of all certificate authorities, as update-ca-certificates(8) makes it on a host.</summary>
internal static class CertificateBundle
{
    public const string Path = "etc/ssl/certs/ca-certificates.crt";

    private const string Authorities = "share/ca-certificates/";

    /// <summary>Makes the bundle, when the tree has certificates, and takes out the single ones.</summary>
    public static void Make(Tree tree)
    {
        using var bundle = new MemoryStream();
        var package = Tree.NoPackage;
        foreach (var (path, file) in tree.Files.Where(f => f.Key.StartsWith(Authorities, StringComparison.Ordinal)))
        {
            bundle.Write(file.Content.AsSpan().TrimEnd((byte)'\n'));
            bundle.WriteByte((byte)'\n');
            package = file.Package;
            tree[path] = null;
        }

        if (bundle.Length > 0)
            tree[Path] = new TreeFile(package, bundle.ToArray(), Executable: false);
    }
}
