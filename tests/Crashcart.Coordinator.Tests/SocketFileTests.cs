using System.Net.Sockets;
using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Tests;

public sealed class SocketFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("crashcart-socket-").FullName;

    private string Socket => Path.Combine(_directory, "c.sock");

    [Fact]
    public void The_socket_of_a_dead_process_gives_way()
    {
        // .NET removes the path that it bound; a killed process does not.
        using (Listen(Socket + ".bound"))
            File.Move(Socket + ".bound", Socket);
        Assert.True(Path.Exists(Socket));
        SocketFile.Claim(Socket, group: null);
        Assert.False(Path.Exists(Socket));
    }

    [Fact]
    public void The_socket_of_a_living_process_does_not()
    {
        using var living = Listen(Socket);
        Assert.Contains($"listens on {Socket}", Assert.Throws<SettingsException>(() => SocketFile.Claim(Socket, group: null)).Message);
        Assert.True(Path.Exists(Socket));
    }

    [Theory]
    [InlineData("")]
    [InlineData("somebody's")]
    public void A_plain_file_is_kept(string content)
    {
        File.WriteAllText(Socket, content);
        Assert.Contains("no socket", Assert.Throws<SettingsException>(() => SocketFile.Claim(Socket, group: null)).Message);
        Assert.Equal(content, File.ReadAllText(Socket));
    }

    [Fact]
    public void A_directory_is_kept()
    {
        Directory.CreateDirectory(Socket);
        Assert.Throws<SettingsException>(() => SocketFile.Claim(Socket, group: null));
        Assert.True(Directory.Exists(Socket));
    }

    [Fact]
    public void A_directory_that_it_makes_is_closed_to_others()
    {
        var path = Path.Combine(_directory, "run", "c.sock");
        SocketFile.Claim(path, group: null);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(Path.GetDirectoryName(path)!) & (UnixFileMode)0b000_010_111);
    }

    [Fact]
    public void A_path_that_is_too_long_for_a_socket_is_refused() => Assert.Contains(
        "107 bytes", Assert.Throws<SettingsException>(() => SocketFile.Claim($"/tmp/{new string('x', 103)}", group: null)).Message);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }
}
