using System.Net.Sockets;
using System.Security.Authentication;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Identity;
using Crashcart.Cli.Sockets;
using Crashcart.Native;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Cli.Remote;

/// <summary>The connection to a coordinator, made by the first call.</summary>
internal sealed class CoordinatorClient : IDisposable
{
    // A window a stream that one round trip does not empty; HTTP/2's default of 64 KiB is.
    private const int StreamWindow = 1024 * 1024;

    // A run over 10,000 containers begins with a list of them all.
    private const int MaxMessage = 64 * 1024 * 1024;

    private readonly CoordinatorAddress _address;
    private readonly ClientIdentity? _identity;
    private readonly GrpcChannel _channel;

    public CoordinatorClient(CoordinatorAddress address)
    {
        _address = address;
        var handler = new SocketsHttpHandler { UseProxy = false, InitialHttp2StreamWindowSize = StreamWindow };
        if (address.SocketPath is { } path)
            handler.ConnectCallback = async (_, cancellation) => await UnixSocket.ConnectAsync(path, cancellation);
        if (address.TlsDirectory is { } directory)
        {
            _identity = ClientIdentity.Read(directory);
            handler.SslOptions = _identity.ToOptions();
        }

        _channel = GrpcChannel.ForAddress(address.Url, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessage,
        });
        Fleet = new Fleet.FleetClient(_channel);
        Leases = new Leases.LeasesClient(_channel);
        Runs = new Runs.RunsClient(_channel);
        Images = new Api.Images.ImagesClient(_channel);
        Audit = new Api.Audit.AuditClient(_channel);
        Recordings = new Api.Recordings.RecordingsClient(_channel);
        Policies = new Api.Policies.PoliciesClient(_channel);
    }

    public Fleet.FleetClient Fleet { get; }

    public Leases.LeasesClient Leases { get; }

    public Runs.RunsClient Runs { get; }

    public Api.Images.ImagesClient Images { get; }

    public Api.Audit.AuditClient Audit { get; }

    public Api.Recordings.RecordingsClient Recordings { get; }

    public Api.Policies.PoliciesClient Policies { get; }

    /// <summary>The failed call as a sentence: the coordinator's own, or why it could not be asked.</summary>
    public CrashcartException Explain(RpcException failure)
    {
        var cause = failure.Status.DebugException;
        while (cause?.InnerException is { } inner)
            cause = inner;
        return (failure.StatusCode, cause) switch
        {
            (StatusCode.Unavailable, SocketException socket) => Unreachable(UnixSocket.Describe(socket, _address.SocketPath, "crashcart"), failure),
            (_, AuthenticationException) => new CrashcartException(
                FailureReason.Unavailable, $"What answers at {_address.Text} is not your fleet's coordinator: {cause.Message}.", failure),
            // TLS 1.3 has its client connected before the server looks at the client's certificate.
            (StatusCode.Unavailable or StatusCode.Internal, HttpRequestException or IOException or ObjectDisposedException or SocketException { SocketErrorCode: SocketError.ConnectionReset })
                when _identity is { } identity => new CrashcartException(
                FailureReason.Unavailable,
                $"The coordinator at {_address.Text} ended the connection; it may not take your certificate ({identity.Holder}, valid until {identity.Until:u}): its log says why.",
                failure),
            (StatusCode.Unavailable, not null) => Unreachable(cause.Message.TrimEnd('.'), failure),
            (StatusCode.Unimplemented, _) => new CrashcartException(
                FailureReason.Unavailable, $"The coordinator at {_address.Text} does not offer this; it is of another version, or something else.", failure),
            (_, not null) => new CrashcartException(
                FailureReason.Unavailable, $"Lost the coordinator at {_address.Text}: {cause.Message.TrimEnd('.')}; what still ran is ended by the nodes.", failure),
            _ => new CrashcartException(
                FailureReason.BadRequest,
                failure.Status.Detail.Length > 0 ? failure.Status.Detail : $"The coordinator at {_address.Text} refused: {failure.StatusCode}.",
                failure),
        };
    }

    public void Dispose() => _channel.Dispose();

    private CrashcartException Unreachable(string reason, Exception cause) => new(
        FailureReason.Unavailable,
        $"Cannot reach the coordinator at {_address.Text}: {reason}; start crashcart-coordinator or give --coordinator.",
        cause);
}
