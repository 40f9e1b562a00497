using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Crashcart.Native;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Authority;

/// <summary>What lets one node join, once. The authority keeps a hash of its secret alone.</summary>
/// <param name="Node">The only name that it is good for; null: any that no other node has.</param>
/// <param name="Hosts">By which the node is dialled, beside its name and the address from which it joins.</param>
/// <param name="Days">How long its certificate is valid.</param>
/// <param name="SecretHash">SHA-256, in hexadecimal.</param>
/// <param name="UsedBy">Who joined with it; null: nobody yet.</param>
internal sealed record JoinToken(
    string Id, string? Node, IReadOnlyList<string> Hosts, int Days, DateTimeOffset Expires, string SecretHash, string? UsedBy)
{
    public string StateAt(DateTimeOffset now) => UsedBy is { } node ? $"used by {node}" : Expires <= now ? "expired" : "valid";
}

/// <summary>The tokens of an authority, a file each. Whoever changes them has the authority's turn.</summary>
internal sealed class JoinTokens(string directory)
{
    private const int IdSize = 4;
    private const int SecretSize = 16;
    private const string Extension = ".json";
    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Who asks why a token is refused is told for so long; then it is forgotten.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromDays(7);

    public IReadOnlyList<JoinToken> All => Directory.Exists(directory)
        ? [.. Directory.EnumerateFiles(directory, "*" + Extension).Select(Read).OrderBy(token => token.Expires)]
        : [];

    /// <returns>What the node is given; it is kept nowhere.</returns>
    public string Create(string? node, IReadOnlyList<string> hosts, int days, DateTimeOffset expires, DateTimeOffset now)
    {
        foreach (JoinToken old in All.Where(token => token.Expires + Memory < now))
            Delete(old);
        Directory.CreateDirectory(directory, RootOnly);
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdSize));
        string secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretSize));
        Write(new JoinToken(id, node, hosts, days, expires, HashOf(secret), UsedBy: null));
        return $"{id}.{secret}";
    }

    /// <summary>The token, if it may be used by that node now.</summary>
    /// <returns>Null when it may not; then <paramref name="problem"/> is a sentence.</returns>
    public JoinToken? Find(string text, string node, DateTimeOffset now, out string problem)
    {
        problem = "The token is none of this fleet's, or was taken back: make another with 'crashcart-coordinator ca token create'.";
        if (!TryParse(text, out string? id, out string? secret) || !File.Exists(PathOf(id)) || Read(PathOf(id)) is not { } token)
            return null;
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(HashOf(secret)), Encoding.ASCII.GetBytes(token.SecretHash)))
            return null;
        problem = token switch
        {
            { UsedBy: { } other } => $"The token {id} was used by {other} already, and each is good for one node: make another with 'crashcart-coordinator ca token create'.",
            _ when token.Expires <= now => $"The token {id} expired at {token.Expires.UtcDateTime:u}: make another with 'crashcart-coordinator ca token create'.",
            { Node: { } meant } when meant != node => $"The token {id} is for the node {meant}, not for {node}: join with --name {meant}.",
            _ => "",
        };
        return problem.Length == 0 ? token : null;
    }

    /// <summary>What of a token may be written down; null when the text is none.</summary>
    public static string? IdOf(string text) => TryParse(text, out string? id, out _) ? id : null;

    /// <summary>From now on nobody else can use it, whatever happens to this process.</summary>
    public void Use(JoinToken token, string node) => Write(token with { UsedBy = node });

    /// <param name="prefix">The first digits of its id.</param>
    /// <exception cref="SettingsException">None or several begin so.</exception>
    public JoinToken Delete(string prefix)
    {
        List<JoinToken> meant = prefix.Length == 0 ? [] : [.. All.Where(token => token.Id.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))];
        if (meant is not [var token])
            throw new SettingsException($"{(meant.Count == 0 ? "No token has" : $"{meant.Count} tokens have")} an id that begins with '{prefix}'; 'crashcart-coordinator ca token list' shows them.");
        Delete(token);
        return token;
    }

    private static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));

    private static bool TryParse(string text, [NotNullWhen(true)] out string? id, [NotNullWhen(true)] out string? secret)
    {
        (id, secret) = (null, null);
        if (text.Split('.') is not [{ Length: 2 * IdSize } first, { Length: 2 * SecretSize } second] || !first.All(char.IsAsciiHexDigitLower))
            return false;
        (id, secret) = (first, second);
        return true;
    }

    private static JoinToken Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<JoinToken>(File.ReadAllBytes(path)) ?? throw new JsonException("It is empty.");
        }
        catch (JsonException e)
        {
            throw new SettingsException($"The token in {path} is damaged: delete the file, and make another. ({e.Message})", e);
        }
    }

    private string PathOf(string id) => Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{id}{Extension}"));

    private void Write(JoinToken token) => DurableFile.Replace(PathOf(token.Id), JsonSerializer.SerializeToUtf8Bytes(token));

    private void Delete(JoinToken token) => File.Delete(PathOf(token.Id));
}
