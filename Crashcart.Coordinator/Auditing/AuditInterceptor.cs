using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Native;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Crashcart.Coordinator.Auditing;

/// <summary>Lets a call that does something begin when the audit log says so, and tells the log when it failed.</summary>
internal sealed class AuditInterceptor(AuditLog log) : Interceptor
{
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Run(request, context, async () =>
        {
            TResponse response = await continuation(request, context);
            if (response is MountResponse changed)
                Tell(changed, "unmount", context);
            return response;
        });

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Run(request, context, async () =>
        {
            await continuation(request, new Watched<TResponse>(responseStream, sent => OnSent(sent, context)), context);
            return true;
        });

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(new Begun<TRequest>(requestStream, first => RequireAsync(first!, context)), responseStream, context);

    private async Task<T> Run<T>(object request, ServerCallContext context, Func<Task<T>> call)
    {
        AuditEvent? asked = await RequireAsync(request, context);
        try
        {
            return await call();
        }
        catch (RpcException e) when (asked is not null && e.StatusCode != StatusCode.PermissionDenied)
        {
            log.Note(asked with { Name = "request.failed", Problem = e.Status.Detail });
            throw;
        }
    }

    private void OnSent<T>(T sent, ServerCallContext context)
    {
        if (sent is MountEvent { Done: { } changed })
            Tell(changed, "mount", context);
    }

    private void Tell(MountResponse changed, string verb, ServerCallContext context)
    {
        foreach (ChangedMount mount in changed.Mounts)
            log.Note(new AuditEvent(verb + ".end")
            {
                Caller = context.Caller(),
                Verb = verb,
                Node = mount.Container.Node,
                Container = mount.Container.Name,
                ContainerId = mount.Container.Id,
                Problem = mount.Problem,
            });
    }

    private async Task<AuditEvent?> RequireAsync(object request, ServerCallContext context)
    {
        if (AuditedCalls.Of(request) is not { } asked)
            return null;
        asked = asked with { Caller = context.Caller() };
        try
        {
            await log.WriteAsync(asked);
        }
        catch (CrashcartException e)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, e.Message));
        }
        return asked;
    }

    /// <summary>Something is done when the first message is there, before the call sees it.</summary>
    private sealed class Begun<T>(IAsyncStreamReader<T> messages, Func<T, Task> begin) : IAsyncStreamReader<T>
    {
        private bool _hasBegun;

        public T Current => messages.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await messages.MoveNext(cancellationToken))
                return false;
            if (!_hasBegun)
                await begin(messages.Current);
            _hasBegun = true;
            return true;
        }
    }

    private sealed class Watched<T>(IServerStreamWriter<T> writer, Action<T> sent) : IServerStreamWriter<T>
    {
        public WriteOptions? WriteOptions
        {
            get => writer.WriteOptions;
            set => writer.WriteOptions = value;
        }

        public async Task WriteAsync(T message)
        {
            sent(message);
            await writer.WriteAsync(message);
        }

        public async Task WriteAsync(T message, CancellationToken cancellationToken)
        {
            sent(message);
            await writer.WriteAsync(message, cancellationToken);
        }
    }
}
