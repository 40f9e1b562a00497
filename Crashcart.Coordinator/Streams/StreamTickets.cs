using System.Collections.Concurrent;
using System.Security.Cryptography;
using Google.Protobuf;

namespace Crashcart.Coordinator.Streams;

/// <summary>
/// The tickets of sessions whose node has not dialled yet. A ticket is 256 random bits, so knowing it is the right to use
/// it; it is taken out by the first who presents it. Where nodes have certificates it is good for the session's own node alone.
/// </summary>
internal sealed class StreamTickets
{
    private const int SecretBytes = 32;

    // By their hashes: how long a look-up takes says nothing about the tickets.
    private readonly ConcurrentDictionary<string, SessionPipe> _waiting = new();

    public ByteString Issue(SessionPipe session)
    {
        ByteString secret = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(SecretBytes));
        _waiting[Key(secret)] = session;
        return secret;
    }

    /// <param name="node">Who presents it, by its certificate; null where nodes have none.</param>
    public SessionPipe? Take(ByteString secret, string? node)
    {
        string key = Key(secret);
        return _waiting.TryGetValue(key, out SessionPipe? session) && (node is null || node == session.Node) && _waiting.TryRemove(key, out _) ? session : null;
    }

    public void Void(ByteString secret) => _waiting.TryRemove(Key(secret), out _);

    private static string Key(ByteString secret) => Convert.ToHexString(SHA256.HashData(secret.Span));
}
