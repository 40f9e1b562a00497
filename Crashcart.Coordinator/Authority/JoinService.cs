using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;
using Crashcart.Coordinator.Auditing;
using Crashcart.Node;
using Crashcart.Node.Configuration;
using Google.Protobuf;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Authority;

/// <summary>Takes nodes into the fleet that have nothing yet but a token.</summary>
/// <param name="authorityDirectory">Read at every request: what another process changed there counts.</param>
/// <param name="seeds">HOST:PORT by which the fleet's nodes join its cluster.</param>
/// <param name="denials">Takes the requests that are refused.</param>
internal sealed class JoinService(string authorityDirectory, IReadOnlyList<string> seeds, Denials denials, ILogger<JoinService> log) : FleetJoin.FleetJoinBase
{
    /// <summary>Of a name that is none, as much is written down.</summary>
    private const int LongestName = 64;

    public override Task<GetAuthorityResponse> GetAuthority(GetAuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(new GetAuthorityResponse { Certificate = ByteString.CopyFrom(Authority(context).Certificate.RawData) });

    public override Task<JoinResponse> Join(JoinRequest request, ServerCallContext context)
    {
        IPAddress address = context.GetHttpContext().Connection.RemoteIpAddress!;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        try
        {
            return Task.FromResult(Admit(request, context, address));
        }
        catch (RpcException e) when (e.StatusCode != StatusCode.Unavailable)
        {
            denials.Tell(new AuditEvent("denied")
            {
                Caller = new AuditCaller(JoinTokens.IdOf(request.Token) is { } id ? $"token {id}" : "", [], address.ToString()),
                Verb = Denials.Join,
                Target = request.Name.Length <= LongestName ? request.Name : request.Name[..LongestName],
                Problem = e.Status.Detail,
            });
            throw;
        }
    }

    private JoinResponse Admit(JoinRequest request, ServerCallContext context, IPAddress address)
    {
        PublicKey key = KeyOf(request.SigningRequest.Span);
        CertificateAuthority authority = Authority(context);
        try
        {
            string name = NodeSettings.IsName(request.Name)
                ? request.Name
                : throw new RpcException(new Status(StatusCode.InvalidArgument, $"'{request.Name}' is no name for a node: {NodeSettings.NameRule}."));
            if (authority.Admit(request.Token, name, key, address, DateTimeOffset.UtcNow, out string problem) is not { } issued)
            {
                JoinLog.Refused(log, name, address, problem);
                throw new RpcException(new Status(StatusCode.PermissionDenied, problem));
            }

            JoinLog.Joined(log, name, address, issued.SerialNumber);
            var response = new JoinResponse { Certificate = ByteString.CopyFrom(issued.RawData), Seeds = { seeds } };
            if (authority.Revoked is { } list)
                response.Revoked = ByteString.CopyFrom(list.Der.Span);
            return response;
        }
        catch (SettingsException e)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, e.Message));
        }
    }

    private CertificateAuthority Authority(ServerCallContext context)
    {
        try
        {
            return CertificateAuthority.Open(authorityDirectory);
        }
        catch (SettingsException e)
        {
            JoinLog.Unusable(log, context.Peer, e.Message);
            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator cannot use its authority now; its log says why."));
        }
    }

    /// <summary>Who asks proves by a signature that the key is his.</summary>
    internal static PublicKey KeyOf(ReadOnlySpan<byte> signingRequest)
    {
        try
        {
            PublicKey key = CertificateRequest.LoadSigningRequest(signingRequest.ToArray(), HashAlgorithmName.SHA384).PublicKey;
            using ECDsa? elliptic = key.GetECDsaPublicKey();
            return elliptic is { KeySize: 256 or 384 } ? key : throw new CryptographicException("Its key is not on P-256 or P-384.");
        }
        catch (Exception e) when (e is CryptographicException or NotSupportedException)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"What the node wants signed is no signing request: {e.Message}"));
        }
    }
}

internal static partial class JoinLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Node {Node} at {Address} joined with a token; its certificate is {Serial}")]
    public static partial void Joined(ILogger log, string node, IPAddress address, string serial);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {Node} at {Address} may not join: {Problem}")]
    public static partial void Refused(ILogger log, string node, IPAddress address, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Peer} cannot join: {Problem}")]
    public static partial void Unusable(ILogger log, string peer, string problem);
}
