using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Crashcart.Native;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Authority;

/// <summary>
/// The fleet's private certificate authority, kept in a directory: its certificate and key, every certificate that it issued, and the list
/// of those that it revoked. Commands of several processes take turns.
/// </summary>
internal sealed class CertificateAuthority
{
    public const string DefaultDirectory = "/etc/crashcart/ca";

    private const string KeyName = "ca.key";
    private const string IssuedName = "issued";
    private const int SerialSize = 16;
    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);

    /// <summary>Clocks of hosts differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private readonly string _directory;

    private CertificateAuthority(string directory, X509Certificate2 certificate)
    {
        _directory = directory;
        Certificate = certificate;
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    public RevocationList? Revoked => IdentityFiles.ReadRevoked(RevocationPath, Certificate);

    public string RevocationPath => Path.Combine(_directory, IdentityFiles.RevocationName);

    /// <summary>What a node that joins compares: the hash of the key, as <c>sha256:</c> and 64 hex digits.</summary>
    public string Hash => HashOf(Certificate);

    public static string HashOf(X509Certificate2 authority) =>
        "sha256:" + Convert.ToHexStringLower(SHA256.HashData(authority.PublicKey.ExportSubjectPublicKeyInfo()));

    public static bool IsIn(string directory) => File.Exists(Path.Combine(directory, KeyName));

    /// <summary>Makes a new authority.</summary>
    /// <exception cref="SettingsException">There is one already, or the directory cannot be written.</exception>
    public static CertificateAuthority Create(string directory, string name, DateTimeOffset now) => Guard(directory, () =>
    {
        Directory.CreateDirectory(directory, RootOnly);
        File.SetUnixFileMode(directory, RootOnly);
        using var turn = Turn(directory);
        if (IsIn(directory))
            throw new SettingsException($"There is an authority in {directory} already; what it issued would be worth nothing without it. Use it, or choose another --ca-dir.");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(name);
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority(pathLengthConstraint: 0));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        X509Certificate2 certificate = request.CreateSelfSigned(now - Skew, now + AuthorityLife);
        Directory.CreateDirectory(Path.Combine(directory, IssuedName), RootOnly);
        Write(Path.Combine(directory, IdentityFiles.AuthorityName), certificate.ExportCertificatePem() + "\n");
        // The key last: what has no key is no authority yet, and made again.
        Write(Path.Combine(directory, KeyName), key.ExportPkcs8PrivateKeyPem() + "\n");
        return new CertificateAuthority(directory, certificate);
    });

    /// <exception cref="SettingsException">There is none, it cannot be read, or its key is not root's alone.</exception>
    public static CertificateAuthority Open(string directory) => Guard(directory, () =>
    {
        if (!IsIn(directory))
            throw new SettingsException($"There is no authority in {directory}: make one with 'crashcart-coordinator ca init', or give --ca-dir.");
        string key = Path.Combine(directory, KeyName);
        if ((File.GetUnixFileMode(key) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != 0)
            throw new SettingsException($"The authority's key {key} can be used by others than its owner: run 'chmod 600 {key}', and make a new authority if anybody may have read it.");
        return new CertificateAuthority(directory, X509Certificate2.CreateFromPemFile(Path.Combine(directory, IdentityFiles.AuthorityName), key));
    });

    /// <summary>Signs a key for a holder.</summary>
    /// <param name="hosts">Names and addresses by which the holder is dialled.</param>
    public X509Certificate2 Issue(Peer holder, PublicKey key, IReadOnlyList<string> hosts, TimeSpan life, DateTimeOffset now) => Guard(_directory, () =>
    {
        var request = new CertificateRequest(holder.ToSubject(), key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForEndEntity(critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(Trust.Uses(holder.Role), critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (hosts.Count > 0)
            request.CertificateExtensions.Add(Names(hosts));
        DateTimeOffset end = now + life;
        X509Certificate2 certificate = request.Create(Certificate, now - Skew, end < Certificate.NotAfter ? end : Certificate.NotAfter, NewSerial());
        Write(Path.Combine(_directory, IssuedName, certificate.SerialNumber + ".crt"), certificate.ExportCertificatePem() + "\n");
        return certificate;
    });

    /// <summary>Every certificate that was ever issued here, the newest first.</summary>
    public IReadOnlyList<X509Certificate2> Issued() => Guard(_directory, () => Directory
        .EnumerateFiles(Path.Combine(_directory, IssuedName), "*.crt")
        .Select(path => X509Certificate2.CreateFromPem(File.ReadAllText(path)))
        .OrderByDescending(certificate => certificate.NotBefore)
        .ThenBy(certificate => certificate.SerialNumber, StringComparer.Ordinal)
        .ToList());

    /// <summary>Revokes one certificate for good.</summary>
    /// <param name="serial">The first digits of its serial number.</param>
    /// <exception cref="SettingsException">None or several begin so; or it is revoked already.</exception>
    public X509Certificate2 Revoke(string serial, DateTimeOffset now) => Guard(_directory, () =>
    {
        using var turn = Turn(_directory);
        List<X509Certificate2> meant = serial.Length == 0 ? [] : [.. Issued().Where(issued => issued.SerialNumber.StartsWith(serial, StringComparison.OrdinalIgnoreCase))];
        if (meant is not [var certificate])
            throw new SettingsException($"{(meant.Count == 0 ? "No certificate has" : $"{meant.Count} certificates have")} a serial number that begins with '{serial}'; 'crashcart-coordinator ca list' shows them.");
        RevocationList? before = Revoked;
        if (before?.Has(certificate) == true)
            throw new SettingsException($"The certificate {certificate.SerialNumber} of {Peer.Of(certificate)} is revoked already.");
        var list = new CertificateRevocationListBuilder();
        foreach (string earlier in before?.Serials ?? [])
            list.AddEntry(Convert.FromHexString(earlier), now);
        list.AddEntry(certificate, now);
        byte[] signed = list.Build(Certificate, (before?.Number ?? 0) + 1, Certificate.NotAfter, HashAlgorithmName.SHA384);
        Write(RevocationPath, PemEncoding.WriteString("X509 CRL", signed) + "\n");
        return certificate;
    });

    private static X509Extension Names(IReadOnlyList<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (string host in hosts)
        {
            if (IPAddress.TryParse(host, out IPAddress? address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }
        return names.Build();
    }

    /// <summary>Positive and of full length, so that it is written the same way everywhere.</summary>
    private static byte[] NewSerial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(SerialSize);
        serial[0] = (byte)((serial[0] & 0x3f) | 0x40);
        return serial;
    }

    private static void Write(string path, string text) => DurableFile.Replace(path, Encoding.ASCII.GetBytes(text));

    /// <summary>FileShare.None is flock(2): it ends with the process, however that ends.</summary>
    private static FileStream Turn(string directory) =>
        new(Path.Combine(directory, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private static T Guard<T>(string directory, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SyscallException)
        {
            throw new SettingsException($"The authority in {directory} cannot be used: {e.Message} Run this as root on the host that has it.", e);
        }
        catch (CryptographicException e)
        {
            throw new SettingsException($"The authority in {directory} is damaged: {e.Message}; restore it from a copy.", e);
        }
    }
}
