using System.Net;
using System.Net.Sockets;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;
using static Crashcart.EndToEnd.Tests.Harness.RawCall;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Whoever sends a coordinator what is no request, or more than it takes, harms nobody else.</summary>
[Collection(OnFleet.Name)]
public sealed class HostileClientTests(FleetHost fleet) : HostTest
{
    private const string Run = "crashcart.api.Fleet/Run";
    private const string Push = "crashcart.api.Images/Push";
    private const string Attach = "crashcart.stream.SessionStreams/Attach";

    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private FleetNode Alpha => fleet.Nodes[0];

    [Theory]
    [InlineData(Run, InvalidArgument)]
    [InlineData(Push, InvalidArgument)]
    [InlineData(Attach, PermissionDenied)]
    public async Task Who_sends_what_is_no_message_is_told_so(string method, int refused)
    {
        await Ends(method, refused);
        await Ends(method, refused, Message());
        await Ends(method, refused, Message(Field(15, "a field of the future")));
        await Ends(method, InvalidArgument, Message([.. Enumerable.Repeat((byte)0xFF, 40)]));
        await Ends(method, InvalidArgument, Message(Field(1, "x")[..^1]));
        await Ends(method, InvalidArgument, Prefix(compressed: 77, length: 3));
        await Ends(method, InvalidArgument, Prefix(compressed: 0, length: uint.MaxValue));
        await Ends(method, ResourceExhausted, Prefix(compressed: 0, length: 2 << 20));
        await Ends(method, Internal, Prefix(compressed: 1, length: 3));
        await Ends(method, Internal, Prefix(compressed: 0, length: 100));
        await Ends(method, Internal, [0, 0]);
        await Ends($"{method}NotHere", Unimplemented, Message());
    }

    [Fact]
    public async Task A_ticket_that_was_made_up_opens_no_stream() => await Ends(Attach, PermissionDenied, Message(Field(1, new byte[32])));

    [Fact]
    public async Task What_is_not_HTTP_2_ends_its_own_connection()
    {
        byte[] noise = new byte[100_000];
        new Random(1).NextBytes(noise);
        foreach (EndPoint peer in (EndPoint[])[fleet.ClientEndPoint, fleet.StreamEndPoint])
        {
            await IsClosedOn(peer, noise);
            await IsClosedOn(peer, Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            await IsClosedOn(peer, [.. Preface, .. noise]);
            // A frame as long as its 24 bits say.
            await IsClosedOn(peer, [.. Preface, 0xFF, 0xFF, 0xFF, 4, 0, 0, 0, 0, 0]);
            // A window that grows by nothing, and headers of a stream that is the server's to open.
            await IsClosedOn(peer, [.. Preface, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            await IsClosedOn(peer, [.. Preface, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 5, 0, 0, 0, 2, 0x82]);
        }
    }

    [Fact]
    public async Task Garbage_in_a_run_ends_it_with_the_reason()
    {
        await using var box = await Alpha.Docker.RunBusybox();
        using var call = Call(Run);
        await call.Send(Start(box, Field(1, "sleep"), Field(1, "86357"), Field(6, 1)));
        await HostProcess.Appears("sleep 86357");
        await call.Send(Message([0xFF, 0xFF, 0xFF, 0xFF]));
        Assert.Equal(InvalidArgument, (await call.Status()).Code);
        await HostProcess.Disappears("sleep 86357");
    }

    [Fact]
    public async Task Of_a_flood_of_window_sizes_the_last_one_counts()
    {
        await using var box = await Alpha.Docker.RunBusybox();
        using var call = Call(Run);
        await call.Send(Start(box, Field(1, "sh"), Field(1, "-c"), Field(1, "read x; stty size"), Field(5, Field(1, 24), Field(2, 80)), Field(6, 1)));
        var size = Message(Field(4, Field(1, 10), Field(2, 10)));
        await call.Send([.. Enumerable.Repeat(size, 100_000).SelectMany(message => message)]);
        await call.Send(Message(Field(4, Field(1, 51), Field(2, 132))));
        await call.Send(Message(Field(2, "\n")));
        call.Complete();
        Assert.Contains("51 132", Encoding.UTF8.GetString(await call.Read()), StringComparison.Ordinal);
        Assert.Equal(0, (await call.Status()).Code);
    }

    [Fact]
    public async Task Who_floods_and_stalls_and_says_nothing_harms_nobody_else()
    {
        await using var box = await Alpha.Docker.RunBusybox();
        await fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Output();
        var before = HostProcess.ResidentMebibytes(fleet.Coordinators[0].Pid);

        using var early = Call(Run);
        _ = Flood(early, []);
        Assert.Equal(InvalidArgument, (await early.Status()).Code);
        using var waiting = Call(Run);
        // It asks, and never agrees: its tool does not start.
        var flooding = Flood(waiting, Message(Field(1, Target(box), Field(3, Field(1, "cat"), Field(6, 1)), Field(13, 1))));
        using var stalled = Call(Run);
        await stalled.Send(Start(box, Field(1, "cat"), Field(1, "/dev/zero")));
        await HostProcess.Appears("cat /dev/zero");
        RawCall[] silent = [.. Enumerable.Range(0, 200).Select(index => Call(index % 2 == 0 ? Run : Attach))];

        Assert.Equal("honest", await fleet.Crashcart("exec", $"alpha/{box.Name}", "echo", "honest").Output());
        var much = await fleet.Crashcart("exec", $"alpha/{box.Name}", "head", "-c", "20000000", "/dev/zero").Run();
        Assert.Equal(20_000_000, much.OutputBytes.Length);
        Assert.False(flooding.IsCompleted);
        Assert.Single(FleetHost.Json(await fleet.Crashcart("sessions", "-o", "json").Run()));

        foreach (var call in (RawCall[])[waiting, stalled, .. silent])
            call.Dispose();
        await HostProcess.Disappears("cat /dev/zero");
        await fleet.Lists(fleet.Crashcart("sessions", "-o", "json"), sessions => sessions.Length == 0);
        Assert.InRange(HostProcess.ResidentMebibytes(fleet.Coordinators[0].Pid), 0, before + 48);
    }

    private RawCall Call(string method) =>
        new(method.StartsWith("crashcart.stream", StringComparison.Ordinal) ? fleet.StreamEndPoint : fleet.ClientEndPoint, method);

    private async Task Ends(string method, int code, params byte[] sent)
    {
        using var call = Call(method);
        await call.Send(sent);
        call.Complete();
        var (status, detail) = await call.Status();
        Assert.True(status == code, $"{method} of {Convert.ToHexString(sent)}: {status} ({detail}), not {code}");
        Assert.EndsWith(".", detail, StringComparison.Ordinal);
    }

    private static async Task IsClosedOn(EndPoint peer, byte[] sent)
    {
        await using var connection = await Connect(peer);
        try
        {
            await connection.WriteAsync(sent);
            await connection.CopyToAsync(Stream.Null).WaitAsync(Eventually.DefaultPatience);
        }
        catch (IOException closed) when (closed.InnerException is SocketException)
        {
            // Before it has read all that was sent.
        }
    }

    /// <summary>Ten thousand messages of standard input of one KiB, after the first.</summary>
    private static async Task Flood(RawCall call, byte[] first)
    {
        await call.Send(first);
        var input = Message(Field(2, new byte[1024]));
        for (var count = 0; count < 10_000; count++)
            await call.Send(input);
    }

    private static byte[] Start(Container box, params byte[][] tool) => Message(Field(1, Target(box), Field(3, tool)));

    private static byte[] Target(Container box) => Field(1, $"alpha/{box.Name}");
}
