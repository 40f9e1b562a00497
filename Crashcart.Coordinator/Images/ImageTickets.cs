using System.Collections.Concurrent;
using System.Security.Cryptography;
using Crashcart.Actors.Images;
using Google.Protobuf;

namespace Crashcart.Coordinator.Images;

/// <summary>
/// The tickets with which nodes fetch images. A ticket is 256 random bits, so knowing it is the right to use it: for one
/// image, any number of times, for some hours.
/// </summary>
internal sealed class ImageTickets(TimeProvider time)
{
    private const int SecretBytes = 32;

    /// <summary>A run may start sessions for a long time with the tickets that it got at its beginning.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    /// <summary>Who asks within this time gets the same ticket, so that there are never many.</summary>
    private static readonly TimeSpan Reissued = TimeSpan.FromHours(1);

    private readonly Dictionary<ImageDigest, (ByteString Secret, DateTimeOffset Since)> _current = [];
    private readonly Lock _lock = new();

    // By their hashes: how long a look-up takes says nothing about the tickets.
    private readonly ConcurrentDictionary<string, (ImageDigest Digest, DateTimeOffset Until)> _valid = new();

    public ByteString Issue(ImageDigest digest)
    {
        DateTimeOffset now = time.GetUtcNow();
        lock (_lock)
        {
            if (_current.TryGetValue(digest, out var current) && now - current.Since < Reissued)
                return current.Secret;
            foreach (string old in _valid.Where(ticket => ticket.Value.Until <= now).Select(ticket => ticket.Key).ToList())
                _valid.TryRemove(old, out _);
            ByteString secret = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(SecretBytes));
            _current[digest] = (secret, now);
            _valid[Key(secret)] = (digest, now + Lifetime);
            return secret;
        }
    }

    public bool Opens(ByteString secret, ImageDigest digest) =>
        _valid.TryGetValue(Key(secret), out var ticket) && ticket.Digest == digest && ticket.Until > time.GetUtcNow();

    private static string Key(ByteString secret) => Convert.ToHexString(SHA256.HashData(secret.Span));
}
