using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Node.Identity;

/// <summary>
/// Opens the grants of coordinators. Nothing of a grant is believed before its signature is right; and none is good twice, for another
/// node, out of its time, or from before this process.
/// </summary>
/// <param name="node">This node's name.</param>
public sealed class GrantCheck(MemberIdentity identity, string node, TimeProvider time) : IGrants
{
    /// <summary>By so much a coordinator's clock may be ahead of this host's.</summary>
    private const long AheadMs = 30_000;

    private readonly Lock _opening = new();
    private readonly NonceBook _used = new();

    // What a killed process remembered is forgotten.
    private readonly long _beganMs = time.GetUtcNow().ToUnixTimeMilliseconds();

    private (ByteString Der, X509Certificate2 Certificate, Trust Trust)? _signer;

    public OpenedGrant Open(Granted granted)
    {
        var request = RequestOf(granted, out var grant);
        lock (_opening)
            return new OpenedGrant(request, Problem(granted, grant) is { } problem ? $"Node {node} did not take it: {problem}." : "");
    }

    private string? Problem(Granted granted, Grant? grant)
    {
        if (SignatureProblem(granted) is { } forged)
            return forged;
        if (grant?.Request is null)
            return "its grant is of another version";
        if (grant.Node != node)
            return $"it is granted to node {grant.Node}";
        var nowMs = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (grant.IssuedUnixMs > nowMs + AheadMs || grant.ExpiresUnixMs > grant.IssuedUnixMs + (long)GrantSigner.Life.TotalMilliseconds)
            return $"its grant is not of now; look at the clocks of coordinator and node, here it is {time.GetUtcNow():u}";
        if (grant.ExpiresUnixMs <= nowMs)
            return $"its grant has expired; try again, and look at the clocks of coordinator and node, here it is {time.GetUtcNow():u}";
        if (grant.IssuedUnixMs < _beganMs)
            return "its grant is from before this node's process; try again";
        return grant.Nonce.Length == GrantSigner.NonceBytes && _used.Use(grant.Nonce, grant.ExpiresUnixMs, nowMs) ? null : "its grant was used before";
    }

    private string? SignatureProblem(Granted granted)
    {
        if (SignerProblem(granted.Certificate, out var signer) is { } why)
            return $"whoever signed its grant {why}";
        return GrantSigner.IsSigned(granted, signer!) ? null : "its grant is not as a coordinator signed it";
    }

    private string? SignerProblem(ByteString der, out X509Certificate2? signer)
    {
        var trust = identity.Trust;
        // Most grants are of the same coordinator. Trust is another when a certificate was revoked.
        if (_signer is { } last && last.Der.Equals(der) && ReferenceEquals(last.Trust, trust) && last.Certificate.NotAfter > time.GetLocalNow())
        {
            signer = last.Certificate;
            return null;
        }

        signer = Load(der);
        if (signer is null)
            return "showed no certificate";
        var refusal = trust.Refusal(signer, PeerRole.Coordinator);
        if (refusal is null)
            _signer = (der, signer, trust);
        return refusal;
    }

    private static X509Certificate2? Load(ByteString der)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(der.Span);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static IWireMessage? RequestOf(Granted granted, out Grant? grant)
    {
        try
        {
            grant = Grant.Parser.ParseFrom(granted.Grant);
        }
        catch (InvalidProtocolBufferException)
        {
            grant = null;
        }

        return grant?.Request;
    }
}
