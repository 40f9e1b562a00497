using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Crashcart.Audit;
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
    private const string TokensName = "tokens";
    private const int SerialSize = 16;
    private const int EWOULDBLOCK = 11;
    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3650);

    /// <summary>Others have their turn for milliseconds.</summary>
    private static readonly TimeSpan TurnPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan TurnInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Clocks of hosts differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    /// <summary>After its expiry a revoked certificate stays on the list for so long: a host's clock may be far behind.</summary>
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(7);

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

    /// <summary>What a node that joins compares.</summary>
    public string Hash => new Trust(Certificate, Revoked: null).Hash;

    public IReadOnlyList<JoinToken> Tokens => Guard(_directory, () => new JoinTokens(TokenDirectory).All);

    private string TokenDirectory => Path.Combine(_directory, TokensName);

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
        using var turn = Turn(_directory);
        return Sign(holder, key, hosts, life, now, AuthorityLog.Local);
    });

    private X509Certificate2 Sign(Peer holder, PublicKey key, IReadOnlyList<string> hosts, TimeSpan life, DateTimeOffset now, AuditCaller caller)
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
        AuthorityLog.Write(_directory, caller, "issue", $"{holder} {certificate.SerialNumber}");
        Write(Path.Combine(_directory, IssuedName, certificate.SerialNumber + ".crt"), certificate.ExportCertificatePem() + "\n");
        return certificate;
    }

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
        IReadOnlyList<X509Certificate2> all = Issued();
        List<X509Certificate2> meant = serial.Length == 0 ? [] : [.. all.Where(issued => issued.SerialNumber.StartsWith(serial, StringComparison.OrdinalIgnoreCase))];
        if (meant is not [var certificate])
            throw new SettingsException($"{(meant.Count == 0 ? "No certificate has" : $"{meant.Count} certificates have")} a serial number that begins with '{serial}'; 'crashcart-coordinator ca list' shows them.");
        RevocationList? before = Revoked;
        if (before?.Has(certificate) == true)
            throw new SettingsException($"The certificate {certificate.SerialNumber} of {Peer.Of(certificate)} is revoked already.");
        var list = new CertificateRevocationListBuilder();
        // Nobody takes a certificate that has expired, so the list need not grow for ever.
        var expired = all.Where(issued => issued.NotAfter.ToUniversalTime() + Forgotten < now).Select(issued => issued.SerialNumber).ToHashSet();
        foreach (string earlier in before?.Serials.Except(expired) ?? [])
            list.AddEntry(Convert.FromHexString(earlier), now);
        list.AddEntry(certificate, now);
        AuthorityLog.Write(_directory, AuthorityLog.Local, "revoke", $"{Peer.Of(certificate)} {certificate.SerialNumber}");
        byte[] signed = list.Build(Certificate, (before?.Number ?? 0) + 1, Certificate.NotAfter, HashAlgorithmName.SHA384);
        Write(RevocationPath, PemEncoding.WriteString("X509 CRL", signed) + "\n");
        return certificate;
    });

    /// <returns>What the node is given.</returns>
    public string CreateToken(string? node, IReadOnlyList<string> hosts, int days, TimeSpan life, DateTimeOffset now) => Guard(_directory, () =>
    {
        using var turn = Turn(_directory);
        AuthorityLog.Write(_directory, AuthorityLog.Local, "token create", node ?? "");
        return new JoinTokens(TokenDirectory).Create(node, hosts, days, now + life, now);
    });

    /// <exception cref="SettingsException">None or several ids begin so.</exception>
    public JoinToken DeleteToken(string id) => Guard(_directory, () =>
    {
        using var turn = Turn(_directory);
        AuthorityLog.Write(_directory, AuthorityLog.Local, "token delete", id);
        return new JoinTokens(TokenDirectory).Delete(id);
    });

    /// <summary>Issues a certificate to a node that shows a token, and the token is used.</summary>
    /// <param name="address">From which it joins, and by which it is dialled.</param>
    /// <returns>Null when it may not join; then <paramref name="problem"/> is a sentence for it.</returns>
    public X509Certificate2? Admit(string token, string node, PublicKey key, IPAddress address, DateTimeOffset now, out string problem)
    {
        string refusal = "";
        X509Certificate2? issued = Guard(_directory, () =>
        {
            using var turn = Turn(_directory);
            var tokens = new JoinTokens(TokenDirectory);
            if (tokens.Find(token, node, now, out refusal) is not { } found)
                return null;
            if (found.Node is null && Holder(node, now) is { } other)
            {
                refusal = $"There is a node {node} already, with the certificate {other.SerialNumber}: join with another --name, revoke that certificate, or make a token "
                    + $"for this name, 'crashcart-coordinator ca token create {node}'.";
                return null;
            }

            tokens.Use(found, node);
            List<string> hosts = [.. found.Hosts.Append(node).Append(address.ToString()).Distinct()];
            var caller = new AuditCaller($"token {found.Id}", [], address.ToString());
            return Sign(new Peer(PeerRole.Node, node, [], ""), key, hosts, TimeSpan.FromDays(found.Days), now, caller);
        });
        problem = refusal;
        return issued;
    }

    /// <summary>The certificate with which a node of that name may be in the fleet now.</summary>
    private X509Certificate2? Holder(string node, DateTimeOffset now)
    {
        RevocationList? revoked = Revoked;
        return Issued().FirstOrDefault(certificate =>
            Peer.Of(certificate) is { Role: PeerRole.Node } peer && peer.Name == node && certificate.NotAfter.ToUniversalTime() > now && revoked?.Has(certificate) != true);
    }

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
    private static FileStream Turn(string directory)
    {
        for (long start = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                var turn = new FileStream(Path.Combine(directory, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                foreach (string written in (string[])[directory, Path.Combine(directory, IssuedName), Path.Combine(directory, TokensName)])
                    DurableFile.ClearAway(written);
                return turn;
            }
            catch (IOException e) when (e.HResult == EWOULDBLOCK && Stopwatch.GetElapsedTime(start) < TurnPatience)
            {
                Thread.Sleep(TurnInterval);
            }
        }
    }

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
