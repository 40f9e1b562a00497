using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Configuration;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Node.Identity;

/// <summary>
/// Gets an identity for a host that is in no fleet yet. The coordinator proves first that it belongs to the authority whose hash a person
/// gave; only then it is sent the token. The key is made here and never leaves.
/// </summary>
/// <param name="coordinator">Its address for hosts that join.</param>
/// <param name="authorityHash">Of <see cref="Trust.Hash"/>.</param>
internal sealed class FleetEntry(HostPort coordinator, string authorityHash)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private X509Certificate2? _shown;

    /// <returns>The identity, in no file yet, and HOST:PORT of coordinators whose cluster the node joins.</returns>
    /// <exception cref="SettingsException">The name is none, the coordinator is not reached or not believed, or it refuses.</exception>
    public async Task<Entered> EnterAsync(string token, string name)
    {
        if (!NodeSettings.IsName(name))
            throw new SettingsException($"'{name}' is no name for a node: {NodeSettings.NameRule}.");
        using var channel = GrpcChannel.ForAddress($"https://{coordinator}", new GrpcChannelOptions { HttpHandler = Handler(), DisposeHttpClient = true });
        var client = new FleetJoin.FleetJoinClient(channel);
        var deadline = DateTime.UtcNow + Patience;
        try
        {
            var trust = Believe(await client.GetAuthorityAsync(new GetAuthorityRequest(), deadline: deadline));
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest(new Peer(PeerRole.Node, name, [], "").ToSubject(), key, HashAlgorithmName.SHA384);
            var joined = await client.JoinAsync(
                new JoinRequest { Token = token, Name = name, SigningRequest = ByteString.CopyFrom(request.CreateSigningRequest()) }, deadline: deadline);
            return Check(joined, key, trust, name);
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.PermissionDenied or StatusCode.InvalidArgument or StatusCode.FailedPrecondition)
        {
            throw new SettingsException($"{coordinator} does not let this host join: {e.Status.Detail}", e);
        }
        catch (RpcException e)
        {
            var why = (e.Status.DebugException?.GetBaseException().Message ?? e.Status.Detail).TrimEnd('.');
            throw new SettingsException(
                $"Could not join by {coordinator}: {why}. Look whether a coordinator there has --join-listen {coordinator}, and no firewall is between.", e);
        }
        catch (CryptographicException e)
        {
            throw new SettingsException($"Could not join by {coordinator}: its answer makes no sense ({e.Message}).", e);
        }
    }

    /// <summary>The fleet's authority, if the answer and the coordinator are of it.</summary>
    private Trust Believe(GetAuthorityResponse answer)
    {
        var trust = new Trust(X509CertificateLoader.LoadCertificate(answer.Certificate.Span), Revoked: null);
        if (trust.Hash != authorityHash)
            throw new SettingsException(
                $"The authority at {coordinator} has the hash {trust.Hash}, not {authorityHash}: the hash was copied wrong, or somebody answers in the coordinator's place. The token was not sent.");
        try
        {
            _ = trust.Require(_shown, coordinator.Host, PeerRole.Coordinator);
            return trust;
        }
        catch (AuthenticationException e)
        {
            throw new SettingsException($"{coordinator} is not believed to be a coordinator: {e.Message} The token was not sent.", e);
        }
    }

    private static Entered Check(JoinResponse joined, ECDsa key, Trust trust, string name)
    {
        if (joined.Revoked.Length > 0)
            trust = trust with { Revoked = RevocationList.Read(joined.Revoked.Memory, trust.Authority) };
        var certificate = X509CertificateLoader.LoadCertificate(joined.Certificate.Span);
        if (trust.Refusal(certificate, PeerRole.Node) is { } why)
            throw new CryptographicException($"The new holder {why}");
        if (Peer.Of(certificate)!.Name != name || !certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            throw new CryptographicException("The certificate is another's");
        return new Entered(certificate.CopyWithPrivateKey(key), trust, [.. joined.Seeds]);
    }

    private SocketsHttpHandler Handler() => new()
    {
        UseProxy = false,
        ConnectTimeout = Patience,
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            AllowTlsResume = false,
            // Whom it is from is judged when the authority is known; until then nothing is told, and a second connection must be to the same.
            RemoteCertificateValidationCallback = (_, shown, _, _) =>
                shown is X509Certificate2 certificate && (_shown ??= new X509Certificate2(certificate)).RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span),
        },
    };
}

/// <summary>What a host that joined got.</summary>
/// <param name="Certificate">With its private key.</param>
/// <param name="Seeds">HOST:PORT of coordinators.</param>
internal sealed record Entered(X509Certificate2 Certificate, Trust Trust, IReadOnlyList<string> Seeds);
