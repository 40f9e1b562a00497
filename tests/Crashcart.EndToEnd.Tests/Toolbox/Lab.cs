using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>What the uses find at <c>/lab</c>: certificates, a file to serve, sockets of servers.</summary>
internal sealed class Lab : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly IReadOnlyList<UnixServer> _servers;

    private Lab() => _servers =
    [
        new DnsServer(_directory["dns"]),
        new RedisServer(_directory["redis"]),
        new PostgresServer(_directory[".s.PGSQL.5432"]),
        new MariaDbServer(_directory["mariadb"]),
    ];

    /// <summary>For <c>docker run</c>.</summary>
    public string[] DockerOptions => ["--volume", $"{_directory.Path}:/lab:ro", "--dns", "127.0.0.1"];

    public static async Task<Lab> Open()
    {
        var lab = new Lab();
        File.SetUnixFileMode(lab._directory.Path, (UnixFileMode)0x1ED); // 0755
        await PrivateAuthority.Issue(lab._directory.Path);
        await File.WriteAllTextAsync(lab._directory["hello"], "hello from the lab\n");
        return lab;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
        await _directory.DisposeAsync();
    }
}
