using Crashcart.Node.Configuration;

namespace Crashcart.Node.Docker;

/// <summary>Where this host's Docker listens.</summary>
public sealed record DockerSocket(Uri Address)
{
    /// <param name="text">As DOCKER_HOST has it.</param>
    /// <exception cref="FormatException">Not a Unix socket: processes of another host cannot be entered.</exception>
    public static DockerSocket Parse(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == "unix" && address.AbsolutePath.Length > 1
            ? new DockerSocket(address)
            : throw new FormatException("not of the form unix:///PATH, and a node serves the containers of its own host only");

    public override string ToString() => Address.ToString();
}
