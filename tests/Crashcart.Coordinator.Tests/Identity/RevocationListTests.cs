using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Google.Protobuf;

namespace Crashcart.Coordinator.Tests.Identity;

/// <summary>How long a list of revoked certificates may be that members tell each other.</summary>
public sealed class RevocationListTests : IDisposable
{
    /// <summary>Many more than a fleet revokes before they expire.</summary>
    private const int Many = 20_000;

    /// <summary>Akka's, with the addresses of both actors.</summary>
    private const int Envelope = 4 << 10;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Twenty_thousand_certificates_are_revoked_within_ten_seconds_at_every_coordinator()
    {
        CoordinatorSettings first = TestCoordinator.Settings(_authority, "c1");
        CoordinatorSettings second = TestCoordinator.Settings(_authority, "c2", first.ClusterListen.ToString()) with { AuthorityDirectory = "/nonexistent" };
        await using TestCoordinator told = await TestCoordinator.StartAsync(first);
        using var log = new TestLog();
        await using TestCoordinator hears = await TestCoordinator.StartAsync(second, logs: log);

        byte[] list = List(Many, number: 1);
        Assert.InRange(new CertificatesRevoked { List = ByteString.CopyFrom(list) }.CalculateSize() + Envelope, 0, 1 << 20);
        File.WriteAllText(_authority.Authority.RevocationPath, PemEncoding.WriteString("X509 CRL", list));

        await log.LineAsync(line => line.Contains($"{Many} certificates are revoked", StringComparison.Ordinal)).WaitAsync(Soon);
    }

    /// <summary>Reading one takes time, so that a hostile one must not be worse than its length.</summary>
    [Fact]
    public void A_list_that_is_cut_anywhere_is_refused_at_once()
    {
        byte[] list = List(2_000, number: 1);
        var random = new Random(4711);

        for (int round = 0; round < 500; round++)
        {
            byte[] cut = list[..random.Next(list.Length)];
            Assert.Throws<CryptographicException>(() => RevocationList.Read(cut, _authority.Authority.Certificate));
        }
    }

    private byte[] List(int certificates, int number)
    {
        var list = new CertificateRevocationListBuilder();
        for (int i = 0; i < certificates; i++)
        {
            byte[] serial = RandomNumberGenerator.GetBytes(16);
            serial[0] = 0x40;
            list.AddEntry(serial, DateTimeOffset.UtcNow);
        }
        return list.Build(_authority.Authority.Certificate, number, DateTimeOffset.UtcNow.AddYears(1), HashAlgorithmName.SHA384);
    }
}
