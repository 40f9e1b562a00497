namespace Crashcart.Actors.Node.Containers;

/// <summary>How long to wait before the next try: twice as long each time, within bounds.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private readonly TimeSpan _first = first;
    private TimeSpan _next = first;

    public TimeSpan Next()
    {
        var delay = _next;
        _next = delay * 2 < longest ? delay * 2 : longest;
        return delay;
    }

    public void Reset() => _next = _first;
}
