using System.Net;
using Crashcart.Native;

namespace Crashcart.Cli.Configuration;

/// <summary>Where a coordinator listens.</summary>
/// <param name="Text">As it was given.</param>
/// <param name="SocketPath">The Unix socket, or null for TCP.</param>
/// <param name="Url">What the HTTP client is told; its host is without meaning for a Unix socket.</param>
/// <param name="TlsDirectory">Where the caller's identity is; null for an address that needs none, or before it is looked for.</param>
internal sealed record CoordinatorAddress(string Text, string? SocketPath, Uri Url, string? TlsDirectory = null)
{
    public const string Default = "unix:///run/crashcart/coordinator.sock";

    /// <summary>Whether it is spoken to by TLS, which needs an identity.</summary>
    public bool IsSecured => Url.Scheme == Uri.UriSchemeHttps;

    /// <exception cref="CrashcartException">Neither of the three forms, or plaintext to another host.</exception>
    public static CoordinatorAddress Parse(string text)
    {
        if (text.StartsWith("unix://", StringComparison.Ordinal) && text["unix://".Length..] is ['/', _, ..] path)
            return new CoordinatorAddress(text, path, new Uri("http://localhost"));
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.PathAndQuery != "/" || url.UserInfo.Length > 0
            || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps))
            throw Wrong(text, "is no address; write unix:///PATH or https://HOST:PORT");
        if (url.Scheme == Uri.UriSchemeHttp && !IsLoopback(url))
            throw Wrong(text, "would send what tools print over the network in plain text; use https://, or http:// on a loopback address");
        return new CoordinatorAddress(text, null, url);
    }

    // A name other than localhost could resolve to anything by the time that it is dialled.
    private static bool IsLoopback(Uri url) =>
        url.Host == "localhost" || (IPAddress.TryParse(url.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));

    private static CrashcartException Wrong(string text, string problem) =>
        new(FailureReason.BadRequest, $"The coordinator's address '{text}' {problem}.");
}
