using System.Net.Sockets;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
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
    private readonly GrpcChannel _channel;

    public CoordinatorClient(CoordinatorAddress address)
    {
        _address = address;
        var handler = new SocketsHttpHandler { UseProxy = false, InitialHttp2StreamWindowSize = StreamWindow };
        if (address.SocketPath is { } path)
            handler.ConnectCallback = async (_, cancellation) => await UnixSocket.ConnectAsync(path, cancellation);
        _channel = GrpcChannel.ForAddress(address.Url, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessage,
        });
        Fleet = new Fleet.FleetClient(_channel);
        Leases = new Leases.LeasesClient(_channel);
        Images = new Api.Images.ImagesClient(_channel);
    }

    public Fleet.FleetClient Fleet { get; }

    public Leases.LeasesClient Leases { get; }

    public Api.Images.ImagesClient Images { get; }

    /// <summary>The failed call as a sentence: the coordinator's own, or why it could not be asked.</summary>
    public CrashcartException Explain(RpcException failure)
    {
        var cause = failure.Status.DebugException;
        while (cause?.InnerException is { } inner)
            cause = inner;
        return (failure.StatusCode, cause) switch
        {
            (StatusCode.Unavailable, SocketException socket) => Unreachable(UnixSocket.Describe(socket, _address.SocketPath, "crashcart"), failure),
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
