using Crashcart.Node.Configuration;

namespace Crashcart.Node.Identity;

/// <summary>The settings that say who a daemon is. Without an identity it speaks in the clear, on the loopback only, and only when somebody wants that.</summary>
public static class IdentitySetting
{
    public static Setting Insecure { get; } = new(
        "insecure", null, "Do without an identity, in the clear on the loopback: every user of this host can then do in the fleet what root can.");

    public static Setting For(PeerRole role) => new(
        "tls-dir", "DIR", $"Identity for TLS with the fleet: {IdentityFiles.AuthorityName}, {IdentityFiles.CertificateName} and {IdentityFiles.KeyName}.")
    {
        Default = $"/etc/crashcart/tls/{Peer.Text(role)}",
    };

    /// <param name="setting">Of <see cref="For"/>.</param>
    /// <param name="remedy">How one gets an identity.</param>
    /// <returns>The directory; null when there is to be no identity.</returns>
    /// <exception cref="SettingsException">The directory holds none.</exception>
    public static string? DirectoryOf(Settings settings, Setting setting, string remedy)
    {
        var directory = settings.Text(setting)!;
        var isNamed = settings.Origin(setting) != "default";
        if (settings.IsOn(Insecure))
            return isNamed ? throw settings.Wrong(Insecure, "of no use with --tls-dir: leave one of them out") : null;
        if (IdentityFiles.AreIn(directory))
            return directory;
        throw settings.Wrong(
            setting, $"no directory with {IdentityFiles.CertificateName}: {remedy}" + (isNamed ? "" : ", or give --insecure on a host that has no other users"));
    }
}
