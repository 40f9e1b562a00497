using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Crashcart.Node.Identity;

/// <summary>Whom a process takes for a member or a user of its fleet: everybody whose certificate the fleet's authority signed and has not revoked.</summary>
/// <param name="Authority">The fleet's authority; nothing else is trusted, and nothing between it and a member.</param>
/// <param name="Revoked">Null: it has revoked nothing yet.</param>
public sealed record Trust(X509Certificate2 Authority, RevocationList? Revoked)
{
    public const string HashPrefix = "sha256:";

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>By which people know the authority: of its public key, as <c>sha256:</c> and 64 hex digits.</summary>
    public string Hash => HashPrefix + Convert.ToHexStringLower(SHA256.HashData(Authority.PublicKey.ExportSubjectPublicKeyInfo()));

    /// <summary>What a certificate's holder may do with it on a connection.</summary>
    public static OidCollection Uses(PeerRole role) =>
        role == PeerRole.User ? [new Oid(ClientAuthentication)] : [new Oid(ServerAuthentication), new Oid(ClientAuthentication)];

    /// <summary>Why the holder is none of these, as the end of a sentence that begins with the peer; null when it is one.</summary>
    public string? Refusal(X509Certificate2 certificate, params ReadOnlySpan<PeerRole> welcome)
    {
        try
        {
            return Problem(certificate, welcome);
        }
        catch (CryptographicException e)
        {
            return $"showed a certificate that cannot be read ({e.Message.TrimEnd('.')})";
        }
    }

    /// <summary>For TLS handshakes.</summary>
    /// <param name="host">By which the peer was dialled; null where it dialled.</param>
    /// <returns>The peer's certificate.</returns>
    /// <exception cref="AuthenticationException">The peer is none of these, or not who was dialled; says why.</exception>
    public X509Certificate2 Require(X509Certificate? shown, string? host, params ReadOnlySpan<PeerRole> welcome)
    {
        if (shown is not X509Certificate2 certificate)
            throw new AuthenticationException("The peer showed no certificate.");
        if (Refusal(certificate, welcome) is { } why)
            throw new AuthenticationException($"The peer {why}.");
        return host is null || certificate.MatchesHostname(host, allowWildcards: false, allowCommonName: false)
            ? certificate
            : throw new AuthenticationException($"The peer's certificate ({certificate.Subject}) is not for {host}; issue one with --host {host}.");
    }

    private string? Problem(X509Certificate2 certificate, ReadOnlySpan<PeerRole> welcome)
    {
        if (ChainProblem(certificate) is { } problem)
            return $"showed a certificate ({certificate.Subject}) that is {problem}";
        if (Revoked?.Has(certificate) == true)
            return $"showed a revoked certificate ({certificate.Subject}, serial {certificate.SerialNumber})";
        if (Peer.Of(certificate) is not { } peer)
            return $"showed a certificate ({certificate.Subject}) that states no role";
        if (!welcome.Contains(peer.Role))
            return $"is {peer}, and this is for {string.Join(" and ", welcome.ToArray().Select(role => Peer.Text(role) + "s"))} only";
        return LacksUse(certificate, peer.Role) ? $"showed a certificate ({certificate.Subject}) that is not for TLS" : null;
    }

    private string? ChainProblem(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(Authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (chain.Build(certificate))
            return chain.ChainElements.Count == 2 ? null : "not signed by this fleet's authority itself";
        var flags = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        return flags switch
        {
            _ when flags.HasFlag(X509ChainStatusFlags.NotTimeValid) && certificate.NotAfter < DateTime.Now => $"expired since {certificate.NotAfter.ToUniversalTime():u}",
            _ when flags.HasFlag(X509ChainStatusFlags.NotTimeValid) => $"not valid before {certificate.NotBefore.ToUniversalTime():u}; look at the clocks",
            _ when (flags & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot)) != 0 => "not signed by this fleet's authority",
            _ => $"not valid ({flags})",
        };
    }

    private static bool LacksUse(X509Certificate2 certificate, PeerRole role)
    {
        var stated = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().SelectMany(extension => extension.EnhancedKeyUsages.Cast<Oid>()).Select(use => use.Value).ToHashSet();
        return Uses(role).Cast<Oid>().Any(use => !stated.Contains(use.Value));
    }
}
