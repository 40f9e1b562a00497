using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Crashcart.Audit;
using Crashcart.Coordinator.Authority;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Tests.Identity;

public sealed class AuthorityTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData(PeerRole.Coordinator)]
    [InlineData(PeerRole.Node)]
    [InlineData(PeerRole.User)]
    public void A_certificate_is_good_for_its_own_role_alone(PeerRole role)
    {
        IdentityFiles files = IdentityFiles.Read(_authority.Issue(role, "alice", groups: ["sre", "oncall"]));

        Assert.Equal((role, "alice"), (Peer.Of(files.Certificate)!.Role, Peer.Of(files.Certificate)!.Name));
        Assert.Equal(["sre", "oncall"], Peer.Of(files.Certificate)!.Groups.Order(StringComparer.Ordinal).Reverse());
        foreach (PeerRole asked in Enum.GetValues<PeerRole>())
            Assert.Equal(asked == role, files.Trust.Refusal(files.Certificate, asked) is null);
    }

    [Fact]
    public void A_certificate_of_another_authority_is_refused()
    {
        using var other = new TestAuthority();
        Trust trust = IdentityFiles.Read(_authority.Issue(PeerRole.Node, "n1")).Trust;

        Assert.Contains("not signed by this fleet's authority", trust.Refusal(IdentityFiles.Read(other.Issue(PeerRole.Node, "n1")).Certificate, PeerRole.Node));
    }

    [Fact]
    public void An_expired_certificate_is_refused()
    {
        IdentityFiles files = IdentityFiles.Read(_authority.Issue(PeerRole.Node, "n1", life: TimeSpan.FromSeconds(-1)));

        Assert.Contains("expired since", files.Trust.Refusal(files.Certificate, PeerRole.Node));
    }

    [Fact]
    public void A_certificate_that_was_signed_with_a_members_key_is_refused()
    {
        IdentityFiles member = IdentityFiles.Read(_authority.Issue(PeerRole.Coordinator, "c1"));
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest(new Peer(PeerRole.Coordinator, "c2", [], "").ToSubject(), key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        using X509Certificate2 forged = request.Create(
            member.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(member.Certificate.GetECDsaPrivateKey()!), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1, 2]);

        Assert.Contains("not signed by this fleet's authority", member.Trust.Refusal(forged, PeerRole.Coordinator));
    }

    [Fact]
    public void What_the_authority_does_is_in_its_audit_log_first()
    {
        string serial = IdentityFiles.Read(_authority.Issue(PeerRole.User, "alice")).Certificate.SerialNumber;
        CertificateAuthority.Open(_authority.Location).Revoke(serial, DateTimeOffset.UtcNow);

        string log = AuthorityLog.In(_authority.Location);
        Assert.Equal(
            [("issue", $"user alice {serial}"), ("revoke", $"user alice {serial}")],
            new AuditQuery(Target: $"*{serial}").Read(log).Select(line => JsonDocument.Parse(line).RootElement)
                .Select(line => (line.GetProperty("verb").GetString()!, line.GetProperty("target").GetString()!)));
        Assert.True(AuditVerifier.Verify(log, null).IsWhole);

        foreach (string file in Directory.GetFiles(log))
            File.Delete(file);
        Directory.Delete(log);
        File.WriteAllText(log, "no directory");
        Assert.Contains("The audit log in ", Assert.Throws<SettingsException>(() => _authority.Issue(PeerRole.User, "bob")).Message, StringComparison.Ordinal);
        Assert.DoesNotContain(CertificateAuthority.Open(_authority.Location).Issued(), certificate => Peer.Of(certificate)!.Name == "bob");
    }

    [Fact]
    public void What_is_revoked_stays_revoked_when_more_is()
    {
        string[] issued = [.. Enumerable.Range(0, 3).Select(n => _authority.Issue(PeerRole.User, $"user{n}"))];
        _authority.Revoke(issued[0]);
        _authority.Revoke(issued[1]);
        var trust = new Trust(_authority.Authority.Certificate, _authority.Authority.Revoked);

        Assert.Equal([true, true, false], issued.Select(directory => trust.Refusal(IdentityFiles.Read(directory).Certificate, PeerRole.User) is not null));
        Assert.Contains("revoked already", Assert.Throws<SettingsException>(() => _authority.Revoke(issued[0])).Message);
    }

    [Fact]
    public void The_list_holds_what_has_not_expired_for_long()
    {
        string[] serials = [.. Enumerable.Range(0, 4).Select(n => IdentityFiles.Read(_authority.Issue(PeerRole.User, $"user{n}", TimeSpan.FromDays(1 + 10 * n))).Certificate.SerialNumber)];
        DateTimeOffset now = DateTimeOffset.UtcNow;

        _authority.Authority.Revoke(serials[0], now);
        _authority.Authority.Revoke(serials[1], now.AddDays(7));
        Assert.Equal(serials[..2].Order(), _authority.Authority.Revoked!.Serials.Order());
        _authority.Authority.Revoke(serials[2], now.AddDays(9));
        Assert.Equal(serials[1..3].Order(), _authority.Authority.Revoked!.Serials.Order());
        _authority.Authority.Revoke(serials[3], now.AddDays(15));

        Assert.Equal(serials[1..].Order(), _authority.Authority.Revoked!.Serials.Order());
    }

    [Fact]
    public void A_list_that_another_authority_signed_is_no_list()
    {
        using var other = new TestAuthority();
        other.Revoke(other.Issue(PeerRole.User, "alice"));

        Assert.Contains(
            "not signed by",
            Assert.Throws<System.Security.Cryptography.CryptographicException>(() => RevocationList.Read(other.Authority.Revoked!.Der, _authority.Authority.Certificate)).Message);
    }

    [Fact]
    public void One_changed_byte_of_a_list_is_seen()
    {
        _authority.Revoke(_authority.Issue(PeerRole.User, "alice"));
        byte[] der = _authority.Authority.Revoked!.Der.ToArray();
        for (int at = 0; at < der.Length; at++)
        {
            byte[] changed = [.. der];
            changed[at] ^= 1;
            Assert.Throws<System.Security.Cryptography.CryptographicException>(() => RevocationList.Read(changed, _authority.Authority.Certificate));
        }
    }

    [Fact]
    public void There_is_one_authority_in_a_directory() =>
        Assert.Contains("already", Assert.Throws<SettingsException>(() => CertificateAuthority.Create(_authority.Location, "second", DateTimeOffset.UtcNow)).Message);

    [Fact]
    public void Keys_are_their_owners_alone_and_refused_otherwise()
    {
        string directory = _authority.Issue(PeerRole.Node, "n1");
        foreach (string key in new[] { Path.Combine(_authority.Location, "ca.key"), Path.Combine(directory, IdentityFiles.KeyName) })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        }

        Assert.Contains("chmod 600", Assert.Throws<SettingsException>(() => CertificateAuthority.Open(_authority.Location)).Message);
        Assert.Contains("chmod 600", Assert.Throws<SettingsException>(() => IdentityFiles.Read(directory)).Message);
    }

    [Theory]
    [InlineData("ca issue user", "NAME")]
    [InlineData("ca issue user ../alice", "is no name")]
    [InlineData("ca issue user alice --group a/b", "is no group")]
    [InlineData("ca issue user alice --days 0", "--days 0")]
    [InlineData("ca issue node n1 --host a,b", "neither a host's name")]
    [InlineData("ca revoke ff", "No certificate has")]
    [InlineData("ca token create ../x", "is no name")]
    [InlineData("ca token create --minutes 0", "--minutes 0")]
    [InlineData("ca token create --host a,b", "neither a host's name")]
    [InlineData("ca token delete ff", "No token has")]
    [InlineData("ca init", "already")]
    public void Wrong_words_are_told_and_change_nothing(string words, string problem)
    {
        (int status, string _, string errors) = Run([.. words.Split(' '), "--ca-dir", _authority.Location]);

        Assert.NotEqual(0, status);
        Assert.Contains(problem, errors);
        Assert.Empty(_authority.Authority.Issued());
    }

    [Fact]
    public void Issue_list_and_revoke_by_command()
    {
        string to = Path.Combine(_authority.Location, "alice");
        Assert.Equal(0, Run(["ca", "issue", "user", "alice", "--group", "sre", "--ca-dir", _authority.Location, "-o", to]).Status);
        string serial = IdentityFiles.Read(to).Certificate.SerialNumber;

        Assert.Equal(0, Run(["ca", "revoke", serial[..8].ToLowerInvariant(), "--ca-dir", _authority.Location]).Status);

        string line = Assert.Single(Run(["ca", "list", "--ca-dir", _authority.Location]).Output.Split('\n'), line => line.StartsWith(serial, StringComparison.Ordinal));
        Assert.Equal([serial, "user", "alice", "revoked"], line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..4]);
        Assert.EndsWith("sre", line);
    }

    [Fact]
    public void Make_list_and_take_back_a_token_by_command()
    {
        (int _, string token, string told) = Run(["ca", "token", "create", "web-1", "--ca-dir", _authority.Location]);
        string id = token.Split('.')[0];
        Assert.Contains($"--token {token.Trim()} --ca-hash {_authority.Authority.Hash}", told);
        Assert.Equal([id, "web-1"], Tokens().Single()[..2]);
        Assert.Equal("valid", Tokens().Single()[^1]);
        Assert.DoesNotContain(token.Trim().Split('.')[1], File.ReadAllText(Assert.Single(Directory.GetFiles(Path.Combine(_authority.Location, "tokens")))));

        Assert.Equal(0, Run(["ca", "token", "delete", id[..4], "--ca-dir", _authority.Location]).Status);

        Assert.Empty(Tokens());
    }

    private List<string[]> Tokens() =>
        [.. Run(["ca", "token", "list", "--ca-dir", _authority.Location]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    private static (int Status, string Output, string Errors) Run(string[] words)
    {
        var output = new StringWriter();
        var errors = new StringWriter();
        int status = new Hosting.CoordinatorCommand().Parse(words).Invoke(new System.CommandLine.InvocationConfiguration { Output = output, Error = errors });
        return (status, output.ToString(), errors.ToString());
    }
}
