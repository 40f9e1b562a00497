using Grpc.Core;

namespace Crashcart.Coordinator.Streams;

/// <summary>What a call that stays open begins with. A peer that sends nothing holds the call no longer than this waits.</summary>
internal static class FirstMessage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <returns>False when there is none, or none in time.</returns>
    public static async Task<bool> ComesAsync<T>(IAsyncStreamReader<T> fromPeer, CancellationToken call)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(call);
        patience.CancelAfter(Patience);
        try
        {
            return await fromPeer.MoveNext(patience.Token);
        }
        catch (OperationCanceledException) when (!call.IsCancellationRequested)
        {
            return false;
        }
    }
}
