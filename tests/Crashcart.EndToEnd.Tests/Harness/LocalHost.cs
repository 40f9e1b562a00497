namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>This host with a Docker daemon and a copy of the image that no other process uses, and the published CLI.</summary>
public class LocalHost : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();

    public LocalHost()
        : this(new DockerDaemon())
    {
    }

    protected LocalHost(DockerDaemon docker) => Docker = docker;

    internal DockerDaemon Docker { get; }

    internal string Image => _directory["crashcart.img"];

    public async Task InitializeAsync()
    {
        File.Copy(Artifacts.Image, Image);
        await Docker.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await Docker.DisposeAsync();
        await _directory.DisposeAsync();
    }

    /// <summary>A command line of <c>crashcart</c> with this host's image and Docker, and no coordinator.</summary>
    internal Command Crashcart(params string[] arguments) => new(Artifacts.Cli, arguments)
    {
        Environment = new Dictionary<string, string?>
        {
            ["CRASHCART_IMAGE"] = Image,
            ["CRASHCART_COORDINATOR"] = $"unix://{_directory["no-coordinator.sock"]}",
            ["DOCKER_HOST"] = Docker.Host,
            ["HOME"] = _directory.Path,
        },
    };

    /// <summary><c>crashcart exec</c> in the container, named by its first process.</summary>
    internal Command Exec(Container container, params string[] tool) =>
        Crashcart(["exec", container.PidText, "--", .. tool]);
}

/// <summary>As <see cref="LocalHost"/>, with containers that have a user namespace of their own.</summary>
public sealed class RemappedHost() : LocalHost(new RemappedDockerDaemon());

[CollectionDefinition(Name)]
public sealed class OnLocalHost : ICollectionFixture<LocalHost>
{
    public const string Name = "local host";
}
