namespace Crashcart.Node;

/// <summary>Lets something through that was not let through for a while; for logs that say the same every other second.</summary>
internal sealed class RepeatFilter<T>(TimeSpan silence, TimeProvider time) where T : notnull
{
    private readonly Dictionary<T, long> _last = [];
    private readonly Lock _lock = new();

    public bool Passes(T item)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_last.TryGetValue(item, out var last) && time.GetElapsedTime(last, now) < silence)
                return false;
            _last[item] = now;
            return true;
        }
    }
}
