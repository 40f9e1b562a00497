using System.Globalization;
using System.Net;

namespace Crashcart.Node.Configuration;

/// <summary>HOST:PORT; an IPv6 address stands in brackets.</summary>
public readonly record struct HostPort(string Host, int Port)
{
    /// <summary>Whether nothing but this host can reach it.</summary>
    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public static bool TryParse(string text, out HostPort endpoint)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon];
        var isPort = int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port);
        endpoint = new HostPort(host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host, port);
        return isPort && port <= IPEndPoint.MaxPort && Uri.CheckHostName(endpoint.Host) != UriHostNameType.Unknown
            && (host.StartsWith('[') || !host.Contains(':'));
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
