using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.Fleet;

/// <summary>A node with its Docker daemon and its state directory, which is a file system of its own.</summary>
internal sealed class ChaosNode(string name, DockerDaemon docker, StateDirectory state)
{
    public string Name => name;

    public DockerDaemon Docker => docker;

    public StateDirectory State => state;

    public Daemon Daemon { get; set; } = null!;
}
