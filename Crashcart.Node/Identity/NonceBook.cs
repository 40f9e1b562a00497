using Google.Protobuf;

namespace Crashcart.Node.Identity;

/// <summary>Which grants were used already. Each is forgotten when it would be refused for its age, so that the book does not grow for ever.</summary>
internal sealed class NonceBook
{
    private readonly HashSet<ByteString> _used = [];
    private readonly PriorityQueue<ByteString, long> _byExpiry = new();

    public int Count => _used.Count;

    /// <returns>False: it was used before.</returns>
    public bool Use(ByteString nonce, long expiryMs, long nowMs)
    {
        while (_byExpiry.TryPeek(out var oldest, out var overMs) && overMs <= nowMs)
        {
            _byExpiry.Dequeue();
            _used.Remove(oldest);
        }

        if (!_used.Add(nonce))
            return false;
        _byExpiry.Enqueue(nonce, expiryMs);
        return true;
    }
}
