using System.Collections.Concurrent;
using System.Security.Cryptography;
using Google.Protobuf;

namespace Crashcart.Coordinator.Streams;

/// <summary>
/// The tickets of sessions whose node has not dialled yet. A ticket is 256 random bits, so knowing it is the right to use
/// it; it is taken out by the first who presents it.
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

    public SessionPipe? Take(ByteString secret) => _waiting.TryRemove(Key(secret), out SessionPipe? session) ? session : null;

    public void Void(ByteString secret) => _waiting.TryRemove(Key(secret), out _);

    private static string Key(ByteString secret) => Convert.ToHexString(SHA256.HashData(secret.Span));
}
