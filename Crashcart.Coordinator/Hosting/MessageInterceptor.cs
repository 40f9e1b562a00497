using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Crashcart.Coordinator.Hosting;

/// <summary>Tells a peer whose messages nobody can read that this is so; else it would look like a failure of ours.</summary>
internal sealed class MessageInterceptor : Interceptor
{
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        continuation(new ReadableMessages<TRequest>(requestStream, context.CancellationToken), responseStream, context);

    private sealed class ReadableMessages<T>(IAsyncStreamReader<T> messages, CancellationToken call) : IAsyncStreamReader<T>
    {
        public T Current => messages.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            try
            {
                return await messages.MoveNext(cancellationToken);
            }
            catch (Exception unreadable) when (unreadable is IOException or InvalidDataException && !call.IsCancellationRequested)
            {
                throw new RpcException(
                    new Status(StatusCode.InvalidArgument, "What was sent cannot be read: it is no message of this API's version.", unreadable));
            }
        }
    }
}
