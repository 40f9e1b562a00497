using System.Net;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Hosting;

/// <summary>Reads ADDRESS:PORT and refuses what other machines could reach: there is no encryption on these listeners.</summary>
internal static class LoopbackEndPoint
{
    /// <exception cref="SettingsException">Not an address, or not a loopback address.</exception>
    public static IPEndPoint Parse(Settings settings, Setting setting)
    {
        string text = settings.Text(setting)!;
        if (text.StartsWith("localhost:", StringComparison.Ordinal))
            text = "127.0.0.1" + text["localhost".Length..];
        if (!IPEndPoint.TryParse(text, out IPEndPoint? address) || !text.Contains(':', StringComparison.Ordinal))
            throw settings.Wrong(setting, "not ADDRESS:PORT, for instance 127.0.0.1:7420");
        if (!IPAddress.IsLoopback(address.Address))
            throw settings.Wrong(setting, "an address that other machines can reach, and without TLS that is refused; use a loopback address");
        return address;
    }
}
