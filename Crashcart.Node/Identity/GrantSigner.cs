using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Node.Identity;

/// <summary>Signs with the key of a coordinator's certificate, whatever it is now.</summary>
public sealed class GrantSigner(MemberIdentity identity, TimeProvider time) : IGrantSigner
{
    /// <summary>Enough for clocks that differ a little, and for nothing that is done later.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    internal const int NonceBytes = 16;

    /// <summary>No signature for anything else, a TLS handshake for instance, is one for a grant.</summary>
    private static ReadOnlySpan<byte> Purpose => "crashcart grant\0"u8;

    public Granted Sign(Grant grant)
    {
        var now = time.GetUtcNow();
        grant.Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(NonceBytes));
        (grant.IssuedUnixMs, grant.ExpiresUnixMs) = (now.ToUnixTimeMilliseconds(), (now + Life).ToUnixTimeMilliseconds());
        return Sign(grant.ToByteString(), identity.Certificate);
    }

    internal static Granted Sign(ByteString grant, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey() ?? throw new CryptographicException($"The certificate {certificate.Subject} has no ECDSA key.");
        return new Granted
        {
            Grant = grant,
            Signature = ByteString.CopyFrom(key.SignData(Signed(grant), HashAlgorithmName.SHA256)),
            Certificate = ByteString.CopyFrom(certificate.RawDataMemory.Span),
        };
    }

    internal static bool IsSigned(Granted granted, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPublicKey();
        return key?.VerifyData(Signed(granted.Grant), granted.Signature.Span, HashAlgorithmName.SHA256) == true;
    }

    private static byte[] Signed(ByteString grant) => [.. Purpose, .. grant.Span];
}
