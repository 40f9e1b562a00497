using Crashcart.Node.Configuration;

namespace Crashcart.Node.Identity;

/// <summary>The setting that names a daemon's identity. Without one the daemon speaks in the clear, on the loopback only.</summary>
public static class IdentitySetting
{
    public static Setting For(PeerRole role) => new(
        "tls-dir", "DIR", $"Identity for TLS with the fleet: {IdentityFiles.AuthorityName}, {IdentityFiles.CertificateName} and {IdentityFiles.KeyName}.")
    {
        Default = $"/etc/crashcart/tls/{Peer.Text(role)}",
    };

    /// <summary>The directory; null when nobody named one and the usual one holds no identity.</summary>
    /// <exception cref="SettingsException">What was named holds no identity.</exception>
    public static string? DirectoryOf(Settings settings, Setting setting)
    {
        var directory = settings.Text(setting)!;
        return IdentityFiles.AreIn(directory) ? directory
            : settings.Origin(setting) == "default" ? null
            : throw settings.Wrong(setting, $"no directory with {IdentityFiles.CertificateName}: make an identity with 'crashcart-coordinator ca issue'");
    }
}
