using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Coordinator.Authority;
using Crashcart.Node.Identity;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A real authority in a directory of its own, and identities that it issued.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("crashcart-authority-");

    public TestAuthority() => Authority = CertificateAuthority.Create(Path.Combine(_root.FullName, "ca"), "test fleet", DateTimeOffset.UtcNow);

    public CertificateAuthority Authority { get; }

    public string Location => Path.Combine(_root.FullName, "ca");

    /// <returns>The directory of a new identity, which is dialled by 127.0.0.1.</returns>
    public string Issue(PeerRole role, string name, TimeSpan? life = null, params IReadOnlyList<string> groups)
    {
        string directory = Path.Combine(_root.FullName, $"{name}-{Guid.NewGuid():N}");
        IssuedIdentity.Write(Authority, new Peer(role, name, groups, ""), role == PeerRole.User ? [] : ["127.0.0.1", name], life ?? TimeSpan.FromDays(1), directory, DateTimeOffset.UtcNow);
        return directory;
    }

    public MemberIdentity Open(PeerRole role, string name) => Open(role, Issue(role, name), name);

    public MemberIdentity Open(PeerRole role, string directory, string state) =>
        new(directory, Path.Combine(_root.FullName, "state-" + state), role, TimeProvider.System, NullLogger.Instance);

    /// <summary>A client of what must be a coordinator of that fleet.</summary>
    public static GrpcChannel Dial(string endpoint, X509Certificate2? certificate, Trust trust) =>
        Dial(endpoint, certificate, (peer, host) => trust.Require(peer, host, PeerRole.Coordinator) is not null);

    /// <param name="isWanted">Of the certificate that the peer shows, and the host that was dialled.</param>
    public static GrpcChannel Dial(string endpoint, X509Certificate2? certificate, Func<X509Certificate2, string, bool> isWanted) => GrpcChannel.ForAddress(endpoint, new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = certificate is null ? [] : [certificate],
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2 peer && isWanted(peer, new Uri(endpoint).Host),
            },
        },
    });

    public void Revoke(string directory) => Authority.Revoke(IdentityFiles.Read(directory).Certificate.SerialNumber, DateTimeOffset.UtcNow);

    public void Dispose() => _root.Delete(recursive: true);
}
