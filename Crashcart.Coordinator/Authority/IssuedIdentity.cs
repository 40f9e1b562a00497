using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Crashcart.Native;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Authority;

/// <summary>A new identity, with a key that was made here, in the files that its holder needs.</summary>
internal static class IssuedIdentity
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <exception cref="SettingsException">Something is there already, or it cannot be written.</exception>
    public static X509Certificate2 Write(CertificateAuthority authority, Peer holder, IReadOnlyList<string> hosts, TimeSpan life, string directory, DateTimeOffset now)
    {
        try
        {
            Directory.CreateDirectory(directory, OwnerOnly);
            File.SetUnixFileMode(directory, OwnerOnly);
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            X509Certificate2 certificate = authority.Issue(holder, new PublicKey(key), hosts, life, now);
            // The certificate last: a directory without one is no identity, and a running daemon looks at nothing half new.
            Write(directory, IdentityFiles.AuthorityName, authority.Certificate.ExportCertificatePem());
            Write(directory, IdentityFiles.KeyName, key.ExportPkcs8PrivateKeyPem());
            if (File.Exists(authority.RevocationPath))
                Write(directory, IdentityFiles.RevocationName, File.ReadAllText(authority.RevocationPath).TrimEnd());
            Write(directory, IdentityFiles.CertificateName, certificate.ExportCertificatePem());
            return certificate;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SyscallException)
        {
            throw new SettingsException($"The identity of {holder} could not be written to {directory}: {e.Message}", e);
        }
    }

    private static void Write(string directory, string name, string pem) =>
        DurableFile.Replace(Path.Combine(directory, name), Encoding.ASCII.GetBytes(pem + "\n"));
}
