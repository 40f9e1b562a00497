namespace Crashcart.Cli.Output.Capture;

/// <summary>Puts packets of many captures in the order of their times, as far as a short wait and a bounded memory allow.</summary>
internal sealed class PacketOrder
{
    /// <summary>How long a packet waits for an older one that is still on its way.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMilliseconds(500);

    /// <summary>Bytes of packets that wait; with more the oldest goes at once.</summary>
    private const long Most = 16 * 1024 * 1024;

    private readonly PriorityQueue<(uint Interface, Packet Packet, DateTimeOffset Came), (ulong Time, long Order)> _waiting = new();
    private long _bytes;
    private long _order;

    public void Add(uint @interface, Packet packet, DateTimeOffset now)
    {
        _waiting.Enqueue((@interface, packet, now), (packet.Nanoseconds, _order++));
        _bytes += packet.Data.Length;
    }

    /// <summary>Takes the packets that have waited long enough, oldest first, and all that are older than these.</summary>
    public IEnumerable<(uint Interface, Packet Packet)> TakeDue(DateTimeOffset now)
    {
        while (_waiting.TryPeek(out var next, out _) && (_bytes > Most || now - next.Came >= Window))
            yield return Take();
    }

    public IEnumerable<(uint Interface, Packet Packet)> TakeAll()
    {
        while (_waiting.Count > 0)
            yield return Take();
    }

    private (uint Interface, Packet Packet) Take()
    {
        var (from, packet, _) = _waiting.Dequeue();
        _bytes -= packet.Data.Length;
        return (from, packet);
    }
}
