using Akka.Event;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>The port of a run that goes on without its client: what nobody is told any more, the log is, if it is a failure.</summary>
internal sealed class DetachedPort(RunId run, IRunPort client, ILoggingAdapter log) : IRunPort
{
    private bool _hasClient = true;

    public StreamTicket Open(int number, string node) => client.Open(number, node);

    public Task AdmitAsync(int number, RunTarget target, StartSession order) => client.AdmitAsync(number, target, order);

    public void Close(int target) => client.Close(target);

    public Task<WantedImage?> DefaultImageAsync() => client.DefaultImageAsync();

    public void Tell(RunEvent happened)
    {
        // How a session ended is also for the audit log.
        if (_hasClient || happened is RunEvent.SessionEnded)
            client.Tell(happened);
        if (!_hasClient && happened is RunEvent.SessionEnded { Outcome: SessionOutcome.Failure failure } ended)
            log.Warning("{0}: {1}", run.Session(ended.Target), failure.Message);
        _hasClient &= happened is not (RunEvent.Ended or RunEvent.Rejected);
    }
}
