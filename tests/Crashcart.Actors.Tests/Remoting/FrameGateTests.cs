using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Remoting;
using Crashcart.Actors.Remoting.Frames;
using Crashcart.Actors.Tests.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Remoting;

/// <summary>What is taken from a node, and from a coordinator, that speak for 10.0.0.11.</summary>
public sealed class FrameGateTests : TestKit
{
    private const string Own = "akka.ssl.tcp://crashcart@10.0.0.11:7421/user/node";
    private const string Another = "akka.ssl.tcp://crashcart@10.0.0.12:7421/user/node";

    /// <summary>Whoever adds a message says here who may send it.</summary>
    private static readonly Dictionary<Type, bool> MayNodesSend = new()
    {
        [typeof(AuditFound)] = true,
        [typeof(CertificatesRevoked)] = false,
        [typeof(ContainersFound)] = true,
        [typeof(ContainersIndexed)] = true,
        [typeof(CoordinatorDescribed)] = false,
        [typeof(CordonNode)] = false,
        [typeof(DescribeCoordinator)] = false,
        [typeof(DescribeNode)] = false,
        [typeof(DropImage)] = false,
        [typeof(EndRun)] = false,
        [typeof(EndSession)] = false,
        [typeof(FindAudit)] = false,
        [typeof(FindContainers)] = false,
        [typeof(FindImages)] = false,
        [typeof(FindKeptRuns)] = false,
        [typeof(FindLeases)] = false,
        [typeof(FindLiveRuns)] = false,
        [typeof(FindRecordings)] = false,
        [typeof(Granted)] = false,
        [typeof(ImageDropped)] = true,
        [typeof(ImageMounted)] = true,
        [typeof(ImageNameRecorded)] = false,
        [typeof(ImagesFound)] = false,
        [typeof(ImageUnmounted)] = true,
        [typeof(IndexContainers)] = false,
        [typeof(KeptRunsFound)] = true,
        [typeof(LeasesFound)] = true,
        [typeof(LiveRunsFound)] = false,
        [typeof(MountImage)] = false,
        [typeof(MountWaits)] = true,
        [typeof(NodeCordoned)] = true,
        [typeof(NodeDescribed)] = true,
        [typeof(RecordImageName)] = false,
        [typeof(RemoveRun)] = false,
        [typeof(ReadRecording)] = false,
        [typeof(RecordingRead)] = false,
        [typeof(RecordingsFound)] = false,
        [typeof(ReplaySession)] = false,
        [typeof(RunRemoved)] = true,
        [typeof(SessionAccepted)] = true,
        [typeof(SessionOver)] = true,
        [typeof(SessionRuns)] = true,
        [typeof(SessionWaits)] = true,
        [typeof(SignalSession)] = false,
        [typeof(StartSession)] = false,
        [typeof(UnmountImage)] = false,
    };

    private readonly X509Certificate2 _certificate = CertificateFor("10.0.0.11");
    private readonly FrameGate _node;
    private readonly FrameGate _coordinator;
    private readonly WireSerializer _serializer;

    public FrameGateTests()
        : base("akka.loglevel = ERROR")
    {
        _node = new FrameGate(new MemberName(IsCoordinator: false, "web-1"), _certificate);
        _coordinator = new FrameGate(new MemberName(IsCoordinator: true, "c1"), _certificate);
        _serializer = new WireSerializer((ExtendedActorSystem)Sys);
    }

    [Fact]
    public void Of_every_wire_message_it_is_said_who_may_send_it() =>
        Assert.Equal(FilledMessages.Types.Select(type => type.Name).Order(), MayNodesSend.Keys.Select(type => type.Name).Order());

    [Fact]
    public void A_node_may_send_what_nodes_tell_and_nothing_else() => Assert.All(MayNodesSend, message =>
    {
        foreach (bool isSelected in (bool[])[false, true])
        {
            var frame = Frame(Own, Content(Of("web-1", message.Key)), isSelected);
            if (message.Value)
                _node.Check(frame);
            else
                Refused($"it is node web-1 and sent '{_serializer.Manifest(Activator.CreateInstance(message.Key)!)}' (4201), which no node may send", _node, frame);
            _coordinator.Check(frame);
        }
    });

    [Fact]
    public void A_node_that_says_it_is_another_is_refused()
    {
        var answers = MayNodesSend.Keys.Where(typeof(INodeAnswer).IsAssignableFrom).ToList();
        Assert.Equal(MayNodesSend.Where(message => message.Value && message.Key.GetProperty("Node")?.PropertyType == typeof(string)).Select(message => message.Key), answers);
        Assert.All(answers, type =>
        {
            Refused("it is node web-1 and says that it is node web-2; start it with --name web-1", _node, Frame(Own, Content(Of("web-2", type))));
            Refused("it is node web-1 and says that it is node ;", _node, Frame(Own, Content((IWireMessage)Activator.CreateInstance(type)!)));
        });
    }

    [Theory]
    [InlineData(Another, "10.0.0.12")]
    [InlineData("akka://crashcart/user/fleet", "no host")]
    [InlineData("", "no host")]
    [InlineData(null, "no host")]
    public void A_node_speaks_for_actors_of_its_own_host(string? sender, string host) =>
        Refused($"says that it speaks for {host}", _node, Frame(sender, Content(new SessionAccepted { SessionId = "s" })));

    [Theory]
    [InlineData("10.0.0.11", null)]
    [InlineData("10.0.0.12", "says that it speaks for 10.0.0.12")]
    [InlineData("", "says that it speaks for ")]
    public void A_member_makes_connections_for_its_own_address(string host, string? problem)
    {
        var frame = new Frame { Instruction = new Instruction { Handshake = new Handshake { Origin = new MemberAddress { Host = host } } } }.ToByteString();
        foreach (FrameGate gate in (FrameGate[])[_node, _coordinator])
        {
            if (problem is null)
                gate.Check(frame);
            else
                Refused(problem, gate, frame);
        }
    }

    [Theory]
    [InlineData("10.0.0.11", "node", null)]
    [InlineData("10.0.0.11", "coord", "it is node web-1 and wants to join the cluster as coord")]
    [InlineData("10.0.0.12", "node", "says that it speaks for 10.0.0.12")]
    public void A_node_joins_as_a_node_and_as_itself(string host, string role, string? problem)
    {
        var join = new Join { Member = new UniqueMember { Address = new MemberAddress { Host = host } }, Roles = { role } };
        var frame = Frame(Own, Content(5, "Akka.Cluster.InternalClusterAction+Join, Akka.Cluster", join.ToByteString()));

        if (problem is null)
            _node.Check(frame);
        else
            Refused(problem, _node, frame);
    }

    [Theory]
    [InlineData(5, "Akka.Cluster.ClusterUserAction+Down, Akka.Cluster")]
    [InlineData(5, "Akka.Cluster.ClusterUserAction+Leave, Akka.Cluster")]
    [InlineData(5, "Akka.Cluster.Routing.ClusterRouterPool, Akka.Cluster")]
    [InlineData(5, "Akka.Cluster.InternalClusterAction+Join, Akka.Cluster, Version=1.0.0.0")]
    [InlineData(22, "Akka.Dispatch.SysMsg.DeathWatchNotification, Akka")]
    [InlineData(22, "Akka.Dispatch.SysMsg.Terminate, Akka")]
    [InlineData(16, "PP")]
    [InlineData(1, "System.String")]
    [InlineData(6, "")]
    [InlineData(4201, "no-such-message")]
    [InlineData(0, "")]
    public void A_node_may_not_send_what_else_Akka_would_read(int serializer, string manifest)
    {
        var content = Content(serializer, manifest, ByteString.Empty);

        Refused("which no node may send", _node, Frame(Own, content));
        Refused("which no node may send", _node, Frame(Own, content, isSelected: true));
        _coordinator.Check(Frame(Own, content));
    }

    [Fact]
    public void A_message_is_not_hidden_in_a_selection_of_a_selection()
    {
        var inner = new Selection { Content = Content(new EndSession { SessionId = "s" }) }.ToByteString();

        Refused("which no node may send", _node, Frame(Own, Content(6, "", inner), isSelected: true));
    }

    /// <summary>Of a field that comes twice Akka takes the last, and of two parts of a message both.</summary>
    [Fact]
    public void A_frame_means_to_the_gate_what_it_means_to_Akka()
    {
        byte[] harmless = Frame(Own, Content(new SessionAccepted())).ToByteArray();
        byte[] harmful = Frame(Own, Content(new EndSession())).ToByteArray();
        Refused("'end-session'", _node, ByteString.CopyFrom([.. harmless, .. harmful]));

        byte[] first = new Container { Envelope = new RemoteMessage { Content = Content(new SessionAccepted()) } }.ToByteArray();
        byte[] second = new Container { Envelope = new RemoteMessage { Content = new Content { Manifest = ByteString.CopyFromUtf8("end-session") }, Sender = new Sender { Path = Own } } }.ToByteArray();
        Refused("'end-session'", _node, new Frame { Payload = ByteString.CopyFrom([.. first, .. second]) }.ToByteString());
    }

    [Fact]
    public void What_is_no_frame_is_refused() => Refused("sent what is no frame", _node, ByteString.CopyFrom(0xff));

    [Fact]
    public void Confirmations_are_taken() => _node.Check(new Frame { Payload = new Container().ToByteString() }.ToByteString());

    protected override void AfterAll()
    {
        _certificate.Dispose();
        base.AfterAll();
    }

    private static IWireMessage Of(string node, Type type)
    {
        IWireMessage message = FilledMessages.Create(type);
        if (message is INodeAnswer)
            message.Descriptor.FindFieldByName("node").Accessor.SetValue(message, node);
        return message;
    }

    private Content Content(IWireMessage message) => Content(_serializer.Identifier, _serializer.Manifest(message), message.ToByteString());

    private static Content Content(int serializer, string manifest, ByteString bytes) =>
        new() { Bytes = bytes, Serializer = serializer, Manifest = ByteString.CopyFromUtf8(manifest) };

    private static ByteString Frame(string? sender, Content content, bool isSelected = false) => new Frame
    {
        Payload = new Container
        {
            Envelope = new RemoteMessage
            {
                Content = isSelected ? Content(6, "", new Selection { Content = content }.ToByteString()) : content,
                Sender = sender is null ? null : new Sender { Path = sender },
            },
        }.ToByteString(),
    }.ToByteString();

    private static void Refused(string problem, FrameGate gate, ByteString frame) =>
        Assert.Contains(problem, Assert.Throws<InvalidDataException>(() => gate.Check(frame)).Message, StringComparison.Ordinal);

    private static X509Certificate2 CertificateFor(string address)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=web-1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
    }
}
