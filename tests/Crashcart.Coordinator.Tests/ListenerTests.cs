using System.Net;
using System.Net.Sockets;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Configuration;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests;

/// <summary>Who may call what, where.</summary>
[Collection(nameof(SmallFleet))]
public sealed class ListenerTests(SmallFleet fleet)
{
    private const UnixFileMode Everybody = (UnixFileMode)0b110_110_110;

    [Fact]
    public async Task A_user_who_is_neither_root_nor_of_the_group_is_refused_even_when_the_socket_is_open_to_all()
    {
        var socket = fleet.Coordinator.Socket;
        File.SetUnixFileMode(Path.GetDirectoryName(socket)!, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(socket, Everybody);
        using var channel = TestCoordinator.Dial(_ => OtherUser.ConnectAsync(socket));
        var client = new Fleet.FleetClient(channel);

        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await client.ListNodesAsync(new ListNodesRequest()));
        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        Assert.Equal($"User {OtherUser.Id} may not use this coordinator: only root and members of the group crashcart may.", refusal.Status.Detail);
        using var run = TestRun.Start(client, TestRun.In("web-1"), CancellationToken.None);
        Assert.Equal(StatusCode.PermissionDenied, (await run.FailureAsync()).StatusCode);
    }

    [Theory]
    [InlineData(0u, 0u, true)]
    [InlineData(0u, 5u, true)]
    [InlineData(1000u, 77u, true)]
    [InlineData(1000u, 5u, true)]
    [InlineData(1000u, 6u, false)]
    public void Root_and_the_members_of_the_group_are_welcome(uint user, uint primary, bool welcome) =>
        Assert.Equal(welcome, new PeerCheck(77).IsWelcome(user, primary, () => primary == 5 ? [3, 77] : [3]));

    [Fact]
    public void Without_the_group_root_alone_is_welcome() => Assert.False(new PeerCheck(null).IsWelcome(1000, 0, () => [0]));

    [Fact]
    public void The_socket_is_closed_to_others() =>
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(fleet.Coordinator.Socket) & (UnixFileMode)0b000_000_111);

    [Fact]
    public async Task Clients_find_no_session_streams()
    {
        using var channel = TestCoordinator.Dial(fleet.Coordinator.Socket);
        using var call = new SessionStreams.SessionStreamsClient(channel).Attach();
        Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext())).StatusCode);
    }

    [Fact]
    public async Task Whoever_finds_the_session_streams_finds_nothing_else()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress((await fleet.Alpha.SessionAsync()).Start.StreamEndpoint);
        Assert.True(new Uri(channel.Target.Contains("//") ? channel.Target : $"http://{channel.Target}").IsLoopback);
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest()));
        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Clients_may_also_have_a_port_on_the_loopback()
    {
        var settings = TestCoordinator.Settings();
        settings = settings with { Listen = new IPEndPoint(IPAddress.Loopback, settings.ClusterListen.Port + 1) };
        await using var coordinator = await TestCoordinator.StartAsync(settings);
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress($"http://{settings.Listen}");
        Assert.Empty((await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest())).Nodes);
    }

    [Fact]
    public async Task A_second_coordinator_on_the_same_socket_is_refused_and_the_first_goes_on()
    {
        var settings = TestCoordinator.Settings() with { Socket = fleet.Coordinator.Socket };
        await Assert.ThrowsAsync<SettingsException>(() => TestCoordinator.ServeAsync(settings));
        Assert.Equal(2, (await fleet.Coordinator.Client.ListNodesAsync(new ListNodesRequest())).Nodes.Count);
    }

    [Theory]
    [InlineData("cluster")]
    [InlineData("streams")]
    [InlineData("clients")]
    public async Task An_address_that_is_taken_is_told_in_one_sentence_and_nothing_is_left(string what)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = (IPEndPoint)taken.LocalEndpoint;
        var settings = TestCoordinator.Settings();
        settings = what switch
        {
            "cluster" => settings with { ClusterListen = address },
            "streams" => settings with { StreamListen = address },
            _ => settings with { Listen = address },
        };

        var problem = (await Assert.ThrowsAsync<IOException>(() => TestCoordinator.ServeAsync(settings))).Message;
        Assert.Matches($"^Could not listen on {address}( for the cluster)?: Address already in use\\.$", problem);
        Assert.False(Path.Exists(settings.Socket));
        Directory.Delete(Path.GetDirectoryName(settings.Socket)!);
    }
}
