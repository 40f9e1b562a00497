using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Crashcart.Native;
using Crashcart.Node.Configuration;

namespace Crashcart.Node.Identity;

/// <summary>The files of one member's or user's identity, in a directory: what <c>crashcart-coordinator ca issue</c> writes.</summary>
/// <param name="Certificate">With its private key.</param>
public sealed record IdentityFiles(X509Certificate2 Certificate, Trust Trust)
{
    public const string AuthorityName = "ca.crt";
    public const string CertificateName = "tls.crt";
    public const string KeyName = "tls.key";
    public const string RevocationName = "crl.pem";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OthersToo = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    public static bool AreIn(string directory) => File.Exists(Path.Combine(directory, CertificateName));

    /// <exception cref="SettingsException">A file is missing, unreadable, wrong, or the key is not its owner's alone.</exception>
    public static IdentityFiles Read(string directory)
    {
        var key = Path.Combine(directory, KeyName);
        var authorityPath = Path.Combine(directory, AuthorityName);
        var certificatePath = Path.Combine(directory, CertificateName);
        try
        {
            if ((File.GetUnixFileMode(key) & OthersToo) != 0)
                throw new SettingsException($"The private key {key} can be read or written by others than its owner: run 'chmod 600 {key}', and issue a new one if anybody may have read it.");
            var authority = X509Certificate2.CreateFromPem(File.ReadAllText(authorityPath));
            var certificate = X509Certificate2.CreateFromPemFile(certificatePath, key);
            return new IdentityFiles(certificate, new Trust(authority, Revoked: null));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The identity in {directory} cannot be read: {e.Message} Make one with 'crashcart-coordinator ca issue'.", e);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new SettingsException($"The identity in {directory} is not usable: {AuthorityName}, {CertificateName} and {KeyName} must be PEM files that belong together ({e.Message}).", e);
        }
    }

    /// <summary>Writes them, for their owner alone.</summary>
    /// <param name="key">The certificate's.</param>
    /// <exception cref="IOException">The disk is full, the directory cannot be made, and so on.</exception>
    public static void Write(string directory, X509Certificate2 certificate, ECDsa key, Trust trust)
    {
        Directory.CreateDirectory(directory, OwnerOnly);
        File.SetUnixFileMode(directory, OwnerOnly);
        // One that was killed may have left a copy of a key.
        DurableFile.ClearAway(directory);
        Write(directory, AuthorityName, trust.Authority.ExportCertificatePem() + "\n");
        Write(directory, KeyName, key.ExportPkcs8PrivateKeyPem() + "\n");
        if (trust.Revoked is { } revoked)
            Write(directory, RevocationName, revoked.ToPem());
        // The certificate last: a directory without one is no identity, and a running daemon looks at nothing half new.
        Write(directory, CertificateName, certificate.ExportCertificatePem() + "\n");
    }

    /// <summary>The list in a file; null when there is none.</summary>
    /// <exception cref="SettingsException">It is not the authority's.</exception>
    public static RevocationList? ReadRevoked(string path, X509Certificate2 authority)
    {
        try
        {
            return File.Exists(path) ? RevocationList.ReadPem(File.ReadAllText(path), authority) : null;
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            throw new SettingsException($"The list of revoked certificates {path} is not usable: {e.Message}", e);
        }
    }

    private static void Write(string directory, string name, string pem) => DurableFile.Replace(Path.Combine(directory, name), Encoding.ASCII.GetBytes(pem));
}
