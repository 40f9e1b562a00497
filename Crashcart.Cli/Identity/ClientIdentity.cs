using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Native;

namespace Crashcart.Cli.Identity;

/// <summary>Who the caller is to coordinators: a certificate with its key, and the authority that coordinators must have theirs from.</summary>
internal sealed class ClientIdentity
{
    public const string AuthorityName = "ca.crt";
    public const string CertificateName = "tls.crt";
    public const string KeyName = "tls.key";

    private const string OrganizationalUnit = "2.5.4.11";
    private const string CommonName = "2.5.4.3";
    private const UnixFileMode OthersToo = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2 _authority;

    private ClientIdentity(X509Certificate2 certificate, X509Certificate2 authority)
    {
        _certificate = certificate;
        _authority = authority;
    }

    /// <summary>As people write it: <c>user alice</c>.</summary>
    public string Holder => $"{Part(_certificate, OrganizationalUnit)} {Part(_certificate, CommonName)}";

    public DateTime Until => _certificate.NotAfter.ToUniversalTime();

    /// <exception cref="CrashcartException">A file is missing or wrong, or others may use the key.</exception>
    public static ClientIdentity Read(string directory)
    {
        var key = Path.Combine(directory, KeyName);
        try
        {
            if ((File.GetUnixFileMode(key) & OthersToo) != 0)
                throw Wrong($"The private key {key} can be read or written by others than you: run 'chmod 600 {key}', and ask for a new one if anybody may have read it.");
            return new ClientIdentity(
                X509Certificate2.CreateFromPemFile(Path.Combine(directory, CertificateName), key),
                X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(directory, AuthorityName))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"Your identity in {directory} cannot be read: {e.Message} It must have {AuthorityName}, {CertificateName} and {KeyName}, as 'crashcart-coordinator ca issue user' writes them.", e);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Wrong($"Your identity in {directory} is not usable: {AuthorityName}, {CertificateName} and {KeyName} must be PEM files that belong together ({e.Message}).", e);
        }
    }

    /// <summary>TLS 1.3 with a coordinator of that authority's, and nobody else.</summary>
    public SslClientAuthenticationOptions ToOptions()
    {
        // OpenSSL would read all authorities of the system first, which takes longer than all the rest.
        ProcessEnvironment.Set("SSL_CERT_DIR", "/nonexistent");
        ProcessEnvironment.Set("SSL_CERT_FILE", "/nonexistent");
        return new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificates = [_certificate],
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { _authority },
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
            RemoteCertificateValidationCallback = (_, shown, _, problems) => Check(shown as X509Certificate2, problems),
        };
    }

    /// <exception cref="AuthenticationException">Says what is wrong with the peer; a false would say nothing.</exception>
    private bool Check(X509Certificate2? certificate, SslPolicyErrors problems)
    {
        if (certificate is null)
            throw new AuthenticationException("it shows no certificate");
        if (problems.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            throw new AuthenticationException(
                certificate.NotAfter < DateTime.Now ? $"its certificate expired at {certificate.NotAfter.ToUniversalTime():u}" : $"its certificate ({certificate.Subject}) is not of your fleet's authority ({_authority.Subject})");
        if (problems.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            throw new AuthenticationException($"its certificate ({certificate.Subject}) is not for this host; dial a name or address that it was issued for");
        return Part(certificate, OrganizationalUnit) == "coordinator"
            ? true
            : throw new AuthenticationException($"its certificate ({certificate.Subject}) is no coordinator's");
    }

    private static string Part(X509Certificate2 certificate, string type) =>
        certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == type)
            .Select(part => part.GetSingleElementValue())
            .FirstOrDefault() ?? "";

    private static CrashcartException Wrong(string message, Exception? cause = null) => new(FailureReason.BadRequest, message, cause);
}
