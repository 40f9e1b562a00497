using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Crashcart.Node.Identity;

/// <summary>A certificate revocation list of the fleet's authority, RFC 5280 section 5. Lists are numbered; the highest is in force.</summary>
public sealed class RevocationList
{
    private const string Label = "X509 CRL";
    private const string CrlNumber = "2.5.29.20";

    private static readonly Asn1Tag ExtensionsTag = new(TagClass.ContextSpecific, 0);

    private readonly HashSet<string> _serials = [];

    private RevocationList(BigInteger number, byte[] der)
    {
        Number = number;
        Der = der;
    }

    public BigInteger Number { get; private init; }

    /// <summary>As it is sent.</summary>
    public ReadOnlyMemory<byte> Der { get; }

    public IReadOnlyCollection<string> Serials => _serials;

    public bool Has(X509Certificate2 certificate) => _serials.Contains(certificate.SerialNumber);

    public string ToPem() => PemEncoding.WriteString(Label, Der.Span) + "\n";

    /// <exception cref="CryptographicException">Not a list, or not one that the authority signed.</exception>
    public static RevocationList ReadPem(string text, X509Certificate2 authority) =>
        PemEncoding.TryFind(text, out var fields) && text[fields.Label] == Label
            ? Read(Convert.FromBase64String(text[fields.Base64Data]), authority)
            : throw new CryptographicException($"It has no PEM block '{Label}'.");

    /// <inheritdoc cref="ReadPem"/>
    public static RevocationList Read(ReadOnlyMemory<byte> der, X509Certificate2 authority)
    {
        try
        {
            var outer = new AsnReader(der, AsnEncodingRules.DER);
            var list = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            var signed = list.PeekEncodedValue();
            var body = list.ReadSequence();
            var algorithm = list.ReadEncodedValue();
            var signature = list.ReadBitString(out var unusedBits);
            list.ThrowIfNotEmpty();
            using var key = authority.GetECDsaPublicKey() ?? throw new CryptographicException("The authority's key is no ECDSA key.");
            // The algorithm is stated twice, and once outside of what is signed.
            return unusedBits == 0 && key.VerifyData(signed.Span, signature, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence)
                ? ReadBody(body, algorithm, der.ToArray())
                : throw new CryptographicException($"It was not signed by {authority.Subject}.");
        }
        catch (AsnContentException e)
        {
            throw new CryptographicException($"It is malformed: {e.Message}", e);
        }
    }

    private static RevocationList ReadBody(AsnReader body, ReadOnlyMemory<byte> algorithm, byte[] der)
    {
        _ = body.ReadInteger();
        if (!body.ReadEncodedValue().Span.SequenceEqual(algorithm.Span))
            throw new CryptographicException("It states two algorithms.");
        _ = body.ReadSequence();
        SkipTimes(body);
        List<string> serials = [];
        if (body.HasData && body.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            for (var revoked = body.ReadSequence(); revoked.HasData;)
                serials.Add(Convert.ToHexString(revoked.ReadSequence().ReadIntegerBytes().Span));
        var read = new RevocationList(NumberOf(body), der);
        read._serials.UnionWith(serials);
        return read;
    }

    private static void SkipTimes(AsnReader body)
    {
        while (body.HasData && body.PeekTag() is { TagClass: TagClass.Universal, TagValue: (int)UniversalTagNumber.UtcTime or (int)UniversalTagNumber.GeneralizedTime })
            _ = body.ReadEncodedValue();
    }

    private static BigInteger NumberOf(AsnReader body)
    {
        if (body.HasData && body.PeekTag().HasSameClassAndValue(ExtensionsTag))
            for (var extensions = body.ReadSequence(ExtensionsTag).ReadSequence(); extensions.HasData;)
            {
                var extension = extensions.ReadSequence();
                if (extension.ReadObjectIdentifier() != CrlNumber)
                    continue;
                if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
                    _ = extension.ReadBoolean();
                return new AsnReader(extension.ReadOctetString(), AsnEncodingRules.DER).ReadInteger();
            }

        throw new CryptographicException("It has no number.");
    }
}
