using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Crashcart.Coordinator.Hosting;

/// <summary>Refuses every call of a peer that <see cref="PeerCheck"/> does not welcome.</summary>
internal sealed class PeerInterceptor : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(request, context);
    }

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Check(context);
        return continuation(requestStream, responseStream, context);
    }

    private static void Check(ServerCallContext context)
    {
        if (PeerCheck.Refusal(context.GetHttpContext()) is { } refusal)
            throw new RpcException(new Status(StatusCode.PermissionDenied, refusal));
    }
}
