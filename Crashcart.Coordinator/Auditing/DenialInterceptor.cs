using Crashcart.Audit;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Crashcart.Coordinator.Auditing;

/// <summary>Tells the audit log of calls that were denied, whoever denied them.</summary>
internal sealed class DenialInterceptor(Denials denials) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = default;
        await Watch(context, AuditedCalls.Of(request), async () => response = await continuation(request, context));
        return response!;
    }

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Watch(context, AuditedCalls.Of(request), () => continuation(request, responseStream, context));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Watch(context, null, () => continuation(requestStream, responseStream, context));

    private async Task Watch(ServerCallContext context, AuditEvent? asked, Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.PermissionDenied or StatusCode.Unauthenticated)
        {
            AuditEvent denied = asked ?? new AuditEvent("") { Verb = context.Method[(context.Method.LastIndexOf('/') + 1)..] };
            denials.Tell(denied with { Caller = context.Caller(), Problem = e.Status.Detail });
            throw;
        }
    }
}
