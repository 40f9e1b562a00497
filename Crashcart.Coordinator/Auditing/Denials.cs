using System.Threading.RateLimiting;
using Crashcart.Audit;

namespace Crashcart.Coordinator.Auditing;

/// <summary>
/// What was denied, in the audit log: so many lines a second and no more, however many try, and then the number of those that have no line.
/// </summary>
internal sealed class Denials : IDisposable
{
    private const int Burst = 100;
    private const int EachSecond = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly AuditLog _log;
    private readonly TokenBucketRateLimiter _rate = new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = Burst,
        TokensPerPeriod = EachSecond,
        ReplenishmentPeriod = Interval,
        AutoReplenishment = true,
    });

    private readonly ITimer _timer;
    private long _omitted;

    public Denials(AuditLog log, TimeProvider time)
    {
        _log = log;
        _timer = time.CreateTimer(_ => TellOmitted(), null, Interval, Interval);
    }

    public void Tell(AuditEvent denied)
    {
        if (_rate.AttemptAcquire().IsAcquired)
            _log.Note(denied with { Name = "denied" });
        else
            Interlocked.Increment(ref _omitted);
    }

    public void Dispose()
    {
        _timer.Dispose();
        _rate.Dispose();
        TellOmitted();
    }

    private void TellOmitted()
    {
        if (Interlocked.Exchange(ref _omitted, 0) is > 0 and var omitted)
            _log.Note(new AuditEvent("denied") { Omitted = omitted });
    }
}
