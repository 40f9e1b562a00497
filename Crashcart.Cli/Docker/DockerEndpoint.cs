using Crashcart.Native;

namespace Crashcart.Cli.Docker;

/// <summary>Where the Docker Engine listens, as <c>DOCKER_HOST</c> has it: <c>unix:///PATH</c> or <c>tcp://HOST:PORT</c>.</summary>
internal sealed record DockerEndpoint(string Text, string? SocketPath, Uri Url)
{
    private const string Default = "unix:///var/run/docker.sock";

    public static DockerEndpoint FromEnvironment() =>
        Parse(Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } host ? host : Default);

    /// <exception cref="CrashcartException">Another form, for instance ssh://.</exception>
    public static DockerEndpoint Parse(string text)
    {
        if (text.StartsWith("unix://", StringComparison.Ordinal) && text["unix://".Length..] is ['/', _, ..] path)
            return new DockerEndpoint(text, path, new Uri("http://docker"));
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "tcp" or "http", Port: > 0 })
            return new DockerEndpoint(text, null, new UriBuilder(url) { Scheme = "http" }.Uri);
        throw new CrashcartException(
            FailureReason.BadRequest,
            $"DOCKER_HOST '{text}' is not understood; unset it or write unix:///PATH (containers must be on this host).");
    }
}
