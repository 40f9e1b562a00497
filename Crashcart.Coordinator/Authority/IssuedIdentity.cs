using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Native;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Authority;

/// <summary>A new identity, with a key that was made here, in the files that its holder needs.</summary>
internal static class IssuedIdentity
{
    /// <exception cref="SettingsException">Something is there already, or it cannot be written.</exception>
    public static X509Certificate2 Write(CertificateAuthority authority, Peer holder, IReadOnlyList<string> hosts, TimeSpan life, string directory, DateTimeOffset now)
    {
        try
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            X509Certificate2 certificate = authority.Issue(holder, new PublicKey(key), hosts, life, now);
            IdentityFiles.Write(directory, certificate, key, new Trust(authority.Certificate, authority.Revoked));
            return certificate;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SyscallException)
        {
            throw new SettingsException($"The identity of {holder} could not be written to {directory}: {e.Message}", e);
        }
    }
}
