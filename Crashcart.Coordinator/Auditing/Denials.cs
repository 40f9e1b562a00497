using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Crashcart.Audit;

namespace Crashcart.Coordinator.Auditing;

/// <summary>
/// What was denied, in the audit log: so many lines and no more, however many try, and each minute the number of those that have no line. Each user has
/// his own share, those who connect and are nobody one together, and so have those who want to join: none of them drowns what others do.
/// </summary>
internal sealed class Denials : IDisposable
{
    public const string Connect = "connect";
    public const string Join = "join";

    private const int Burst = 100;

    private static readonly TimeSpan EachLine = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan SummaryInterval = TimeSpan.FromMinutes(1);

    private readonly AuditLog _log;
    private readonly PartitionedRateLimiter<Share> _rate = PartitionedRateLimiter.Create<Share, Share>(share => RateLimitPartition.GetTokenBucketLimiter(
        share,
        _ => new TokenBucketRateLimiterOptions { TokenLimit = Burst, TokensPerPeriod = 1, ReplenishmentPeriod = EachLine }));

    private readonly ConcurrentDictionary<Share, long> _omitted = new();
    private readonly ITimer _timer;

    public Denials(AuditLog log, TimeProvider time)
    {
        _log = log;
        _timer = time.CreateTimer(_ => TellOmitted(), null, SummaryInterval, SummaryInterval);
    }

    public void Tell(AuditEvent denied)
    {
        Share share = denied.Verb is Connect or Join ? new Share(denied.Verb, "") : new Share("", denied.Caller?.User ?? "");
        using RateLimitLease lease = _rate.AttemptAcquire(share);
        if (lease.IsAcquired)
            _log.Note(denied with { Name = "denied" });
        else
            _omitted.AddOrUpdate(share, 1, (_, count) => count + 1);
    }

    public void Dispose()
    {
        _timer.Dispose();
        _rate.Dispose();
        TellOmitted();
    }

    private void TellOmitted()
    {
        foreach (Share share in _omitted.Keys)
        {
            if (_omitted.TryRemove(share, out long omitted))
                _log.Note(new AuditEvent("denied") { Verb = share.Verb, Caller = share.User.Length > 0 ? new AuditCaller(share.User, [], "") : null, Omitted = omitted });
        }
    }

    private readonly record struct Share(string Verb, string User);
}
