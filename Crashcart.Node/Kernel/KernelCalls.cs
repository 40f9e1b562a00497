using Crashcart.Actors.Node.Ports;
using Crashcart.Native;

namespace Crashcart.Node.Kernel;

/// <summary>
/// Runs calls that may block in the kernel beside the actors' threads, a few at one time, and tells their failures as the
/// node's actors understand them.
/// </summary>
internal sealed class KernelCalls
{
    private const int AtOneTime = 8;

    private readonly TaskFactory _factory = new(
        CancellationToken.None,
        TaskCreationOptions.DenyChildAttach,
        TaskContinuationOptions.None,
        new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, AtOneTime).ConcurrentScheduler);

    public Task<T> RunAsync<T>(Func<T> call, CancellationToken cancellation) =>
        RunAsync(() => Task.FromResult(call()), cancellation);

    public async Task<T> RunAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        try
        {
            return await _factory.StartNew(call, cancellation).Unwrap().ConfigureAwait(false);
        }
        catch (CrashcartException e)
        {
            throw new NodeException(Failure(e.Reason), e.Message, e);
        }
        catch (IOException e)
        {
            throw new NodeException(NodeFailure.Failed, $"The kernel of the node refused: {e.Message}.", e);
        }
    }

    private static NodeFailure Failure(FailureReason reason) => reason switch
    {
        FailureReason.TargetGone => NodeFailure.TargetGone,
        FailureReason.ToolNotFound => NodeFailure.ToolNotFound,
        FailureReason.ToolNotExecutable => NodeFailure.ToolNotExecutable,
        _ => NodeFailure.Failed,
    };
}
