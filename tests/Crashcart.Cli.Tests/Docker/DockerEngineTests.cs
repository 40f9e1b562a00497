using System.Net.Sockets;
using System.Text;
using Crashcart.Cli.Docker;
using Crashcart.Cli.Local;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Docker;

public sealed class DockerEngineTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("crashcart-cli-").FullName;

    private string SocketPath => Path.Combine(_directory, "docker.sock");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Understands_what_the_engine_tells_of_a_container()
    {
        const string Json = """
            {"Id":"0123456789abcdef","Created":"2025-01-01T00:00:00Z","Path":"sh","Args":["-c"],"Name":"/web",
             "State":{"Status":"running","Running":true,"Paused":false,"Pid":4711,"Health":{"Log":[]}},
             "Config":{"Hostname":"h","Env":["PATH=/opt/bin:/bin","A=1"]}}
            """;
        var (container, request) = await AskAsync("200 OK", Json, "web");
        Assert.StartsWith("GET /containers/web/json ", request, StringComparison.Ordinal);
        Assert.Equal("0123456789abcdef", container!.Id);
        Assert.Equal(4711, LocalTarget.OfContainer(container).Pid);
        Assert.Equal(
            ["exec", "-i", "-e", "PATH=/dev/crashcart/bin:/dev/crashcart/sbin:/opt/bin:/bin", "0123456789abcdef", "bash"],
            DockerExec.Arguments(LocalTarget.OfContainer(container), [], terminal: false));
    }

    [Fact]
    public async Task A_container_that_does_not_run_is_refused_with_its_state()
    {
        var (container, _) = await AskAsync("200 OK", """{"Id":"0","Name":"/web","State":{"Status":"exited","Running":false,"Pid":0}}""", "web");
        var failure = Assert.Throws<CrashcartException>(() => LocalTarget.OfContainer(container!));
        Assert.Equal(FailureReason.TargetNotRunning, failure.Reason);
        Assert.Equal("The container web is not running (exited); start it first.", failure.Message);
    }

    [Fact]
    public async Task No_such_container_is_null() => Assert.Null((await AskAsync("404 Not Found", """{"message":"No such container: web"}""", "web")).Container);

    [Fact]
    public async Task Names_cannot_reach_another_resource() =>
        Assert.StartsWith("GET /containers/..%2F..%2Finfo%3F/json ", (await AskAsync("404 Not Found", "{}", "../../info?")).Request, StringComparison.Ordinal);

    [Fact]
    public async Task The_engine_s_own_sentence_is_passed_on()
    {
        var failure = await Assert.ThrowsAsync<CrashcartException>(() => AskAsync("400 Bad Request", """{"message":"multiple IDs found"}""", "0"));
        Assert.Equal(FailureReason.BadRequest, failure.Reason);
        Assert.EndsWith("multiple IDs found.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_else_behind_the_socket_is_no_engine() =>
        Assert.Equal(FailureReason.Unavailable, (await Assert.ThrowsAsync<CrashcartException>(() => AskAsync("200 OK", "<html>", "0"))).Reason);

    [Fact]
    public async Task No_socket_is_told_with_its_path()
    {
        using var docker = new DockerEngine(DockerEndpoint.Parse($"unix://{SocketPath}"));
        var failure = await Assert.ThrowsAsync<CrashcartException>(() => docker.InspectAsync("web"));
        Assert.Equal(FailureReason.Unavailable, failure.Reason);
        Assert.Equal($"Cannot reach Docker at unix://{SocketPath}: there is no such socket.", failure.Message);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:2375", "http://127.0.0.1:2375/")]
    [InlineData("unix:///var/run/docker.sock", "http://docker/")]
    public void Docker_hosts_are_sockets(string text, string url) => Assert.Equal(url, DockerEndpoint.Parse(text).Url.AbsoluteUri);

    [Theory]
    [InlineData("ssh://somewhere")]
    [InlineData("unix://")]
    [InlineData("web")]
    public void Other_docker_hosts_are_refused(string text) => Assert.Throws<CrashcartException>(() => DockerEndpoint.Parse(text));

    // Answers one request.
    private async Task<(ContainerInspection? Container, string Request)> AskAsync(string status, string body, string name)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen();
        var server = Task.Run(async () =>
        {
            using var connection = await listener.AcceptAsync();
            var buffer = new byte[4096];
            var count = await connection.ReceiveAsync(buffer);
            var answer = $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
            await connection.SendAsync(Encoding.UTF8.GetBytes(answer));
            return Encoding.UTF8.GetString(buffer, 0, count);
        });
        using var docker = new DockerEngine(DockerEndpoint.Parse($"unix://{SocketPath}"));
        var container = await docker.InspectAsync(name);
        return (container, await server);
    }
}
