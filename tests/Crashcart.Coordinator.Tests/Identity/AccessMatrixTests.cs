using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Event;
using Crashcart.Actors;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Identity;

/// <summary>Every call and every actor that can be reached, and whoever comes: the table of docs/security.md.</summary>
public sealed class AccessMatrixTests : IDisposable
{
    private const string Begin = "<!-- access: begin -->\n";
    private const string End = "<!-- access: end -->\n";

    private const string NoConnection = "no connection";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _other = new();

    public void Dispose()
    {
        _authority.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task The_table_of_who_is_served_what_is_true()
    {
        (string Name, X509Certificate2? Shown)[] visitors = Visitors();
        CoordinatorSettings settings = Settings();
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(settings);

        var table = new StringBuilder();
        table.Append("| what | ").AppendJoin(" | ", visitors.Select(visitor => visitor.Name)).Append(" |\n");
        table.Append("| --- |").Insert(table.Length, " --- |", visitors.Length).Append('\n');
        foreach ((IPEndPoint address, FileDescriptor file) in Listeners(settings))
        {
            foreach (MethodDescriptor method in file.Services.SelectMany(service => service.Methods))
                Row(table, $"`{method.Service.Name}/{method.Name}`", await Each(visitors, visitor => Call(address, visitor.Shown, method)));
        }

        foreach ((string what, string[] results) in await Members(visitors))
            Row(table, what, results);

        Compare(table.ToString());
    }

    private Trust Trust => new(_authority.Authority.Certificate, null);

    private (string Name, X509Certificate2? Shown)[] Visitors()
    {
        string revoked = _authority.Issue(PeerRole.User, "mallory");
        string revokedNode = _authority.Issue(PeerRole.Node, "mallory");
        _authority.Revoke(revoked);
        _authority.Revoke(revokedNode);
        return
        [
            ("nothing", null),
            ("another authority's user", Of(_other.Issue(PeerRole.User, "alice"))),
            ("another authority's node", Of(_other.Issue(PeerRole.Node, "alpha"))),
            ("expired user", Of(_authority.Issue(PeerRole.User, "alice", TimeSpan.FromSeconds(-1)))),
            ("expired node", Of(_authority.Issue(PeerRole.Node, "alpha", TimeSpan.FromSeconds(-1)))),
            ("revoked user", Of(revoked)),
            ("revoked node", Of(revokedNode)),
            ("node", Of(_authority.Issue(PeerRole.Node, "alpha"))),
            ("coordinator", Of(_authority.Issue(PeerRole.Coordinator, "c2"))),
            ("user, allowed", Of(_authority.Issue(PeerRole.User, "alice"))),
            ("user, denied", Of(_authority.Issue(PeerRole.User, "eve"))),
        ];
    }

    private CoordinatorSettings Settings()
    {
        CoordinatorSettings settings = TestCoordinator.Settings(_authority, "c1");
        settings = settings with
        {
            StreamListen = TestCoordinator.FreeEndPoint(),
            JoinListen = TestCoordinator.FreeEndPoint(),
            PolicyPath = Path.Combine(Path.GetDirectoryName(settings.Socket)!, "policy.yaml"),
        };
        File.WriteAllText(settings.PolicyPath, "rules:\n  - {name: alice, effect: allow, subjects: ['user:alice']}\n");
        return settings;
    }

    private static IEnumerable<(IPEndPoint Address, FileDescriptor File)> Listeners(CoordinatorSettings settings) =>
    [
        (settings.Listen!, ApiReflection.Descriptor),
        (settings.StreamListen, StreamReflection.Descriptor),
        (settings.JoinListen!, JoinReflection.Descriptor),
    ];

    private static async Task<string[]> Each((string Name, X509Certificate2? Shown)[] visitors, Func<(string Name, X509Certificate2? Shown), Task<string>> tried)
    {
        var results = new List<string>();
        foreach (var visitor in visitors)
            results.Add(await tried(visitor));
        return [.. results];
    }

    /// <summary>Calls with an empty message, which does nothing to anybody.</summary>
    private async Task<string> Call(IPEndPoint address, X509Certificate2? shown, MethodDescriptor method)
    {
        using GrpcChannel channel = TestAuthority.Dial($"https://{address}", shown, Trust);
        var bytes = Marshallers.Create<byte[]>(message => message, message => message);
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            new Method<byte[], byte[]>(MethodType.DuplexStreaming, method.Service.FullName, method.Name, bytes, bytes), null, new CallOptions(deadline: DateTime.UtcNow + Patience));
        try
        {
            await Say(call.RequestStream);
            await call.ResponseStream.MoveNext(CancellationToken.None);
            return "served";
        }
        catch (RpcException e) when (e.Status.DebugException is not null)
        {
            return NoConnection;
        }
        catch (RpcException e)
        {
            return e.StatusCode switch
            {
                StatusCode.PermissionDenied when e.Status.Detail.Contains("policy", StringComparison.Ordinal) => "denied",
                StatusCode.PermissionDenied or StatusCode.Unauthenticated => "with a ticket or token",
                StatusCode.Unimplemented => "not there",
                _ => "served",
            };
        }
    }

    private static async Task Say(IClientStreamWriter<byte[]> call)
    {
        try
        {
            await call.WriteAsync([]);
            await call.CompleteAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // What came of the call is in its status.
        }
    }

    /// <summary>What comes of everybody who dials a member, as the coordinator is one, and says something to each of its actors.</summary>
    private async Task<List<(string What, string[] Results)>> Members((string Name, X509Certificate2? Shown)[] visitors)
    {
        using MemberIdentity identity = _authority.Open(PeerRole.Coordinator, "c3");
        var cluster = new ClusterSettings("127.0.0.1", 0, [ClusterSettings.CoordinatorRole], []) { Identity = identity };
        using ActorSystem system = ActorSystem.Create(ClusterSettings.SystemName, cluster.ToSetup());
        var heard = Channel.CreateUnbounded<object>();
        system.EventStream.Subscribe(system.ActorOf(Props.Create(() => new Listener(heard.Writer))), typeof(Warning));
        foreach (string name in (string[])["node", "fleet", "images", "seeds", "revocations", "other"])
            system.ActorOf(Props.Create(() => new Listener(heard.Writer)), name);

        var member = IPEndPoint.Parse($"127.0.0.1:{((ExtendedActorSystem)system).Provider.DefaultAddress.Port}");
        var rows = cluster.ToConfig().GetStringList("akka.remote.trusted-selection-paths").Where(path => path.StartsWith("/user/", StringComparison.Ordinal))
            .Select(path => new Door($"`{path}`", path, IsSelected: true))
            .Append(new Door("any other actor, by a selection", "/user/other", IsSelected: true))
            .Append(new Door("any actor, by its path", "/user/other", IsSelected: false))
            .ToList();
        foreach ((_, X509Certificate2? shown) in visitors)
        {
            if (!await IsMember(member, shown))
            {
                rows.ForEach(row => row.Results.Add(NoConnection));
                continue;
            }
            using var visitor = new Visitor(new ShownIdentity(shown!, Trust), system, heard.Reader);
            foreach (var row in rows)
                row.Results.Add(await visitor.Say(row));
        }
        return [.. rows.Select(row => (row.What, row.Results.ToArray()))];
    }

    private async Task<bool> IsMember(IPEndPoint member, X509Certificate2? shown)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(member);
        await using var tls = new SslStream(socket.GetStream(), false, (_, peer, _, _) => Trust.Require(peer, "127.0.0.1", PeerRole.Coordinator) is not null);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", ClientCertificates = shown is null ? [] : [shown] }, CancellationToken.None);
            // Of whom it takes for a member it awaits a handshake of Akka's.
            return await tls.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(1)) > 0;
        }
        catch (TimeoutException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return false;
        }
    }

    /// <summary>How a message comes to an actor.</summary>
    /// <param name="IsSelected">Else the path is the message's recipient.</param>
    private sealed record Door(string What, string Path, bool IsSelected)
    {
        public List<string> Results { get; } = [];
    }

    /// <summary>A member that says to actors of another what coordinators order, and what nodes tell.</summary>
    private sealed class Visitor : IDisposable
    {
        private readonly ActorSystem _system;
        private readonly IActorRef _sender;
        private readonly string _subject;
        private readonly ActorSystem _member;
        private readonly ChannelReader<object> _heard;

        public Visitor(ShownIdentity identity, ActorSystem member, ChannelReader<object> heard)
        {
            _subject = identity.Certificate.Subject;
            _member = member;
            _heard = heard;
            var cluster = new ClusterSettings("127.0.0.1", 0, [ClusterSettings.NodeRole], []) { Identity = identity };
            // It is refused again and again, and is not to wait for the next time.
            _system = ActorSystem.Create(ClusterSettings.SystemName, cluster.ToSetup("akka.remote.retry-gate-closed-for = 20ms"));
            _sender = _system.ActorOf(Props.Empty);
        }

        public async Task<string> Say(Door door)
        {
            string mark = $"{_subject} {door}";
            return (await IsTaken(door, new EndSession { SessionId = mark }), await IsTaken(door, new SessionAccepted { SessionId = mark })) switch
            {
                (true, true) => "messages of the protocol",
                (false, true) => "what nodes tell",
                (false, false) => "dropped",
                _ => "orders only",
            };
        }

        public void Dispose() => _system.Dispose();

        /// <summary>Says it until it is heard or refused, or what was said after it is heard.</summary>
        private async Task<bool> IsTaken(Door door, IWireMessage message)
        {
            var last = new SessionAccepted { SessionId = $"after {message.Descriptor.Name} {message}" };
            using var patience = new CancellationTokenSource(Patience);
            while (true)
            {
                Tell(door, message);
                Tell(new Door("", "/user/node", IsSelected: true), last);
                using var round = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
                round.CancelAfter(TimeSpan.FromMilliseconds(300));
                try
                {
                    while (true)
                    {
                        object heard = await _heard.ReadAsync(round.Token);
                        if (heard.Equals(message))
                            return true;
                        if (message is EndSession && IsRefusal(heard))
                            return false;
                        if (heard.Equals(last))
                            return await IsHeardAlready(door, message);
                    }
                }
                catch (OperationCanceledException) when (!patience.IsCancellationRequested)
                {
                    // It was lost with a connection that ended.
                }
            }
        }

        /// <summary>What was said before is in the actor's mailbox, if it was taken.</summary>
        private async Task<bool> IsHeardAlready(Door door, IWireMessage message)
        {
            await _member.ActorSelection(door.Path).Ask<ActorIdentity>(new Identify(null), Patience);
            while (_heard.TryRead(out object? heard))
            {
                if (heard.Equals(message))
                    return true;
            }
            return false;
        }

        private bool IsRefusal(object heard) => heard is Warning warning
            && warning.Message.ToString()!.Contains($"({_subject}) is ended: ", StringComparison.Ordinal)
            && warning.Message.ToString()!.Contains("and sent 'end-session'", StringComparison.Ordinal);

        private void Tell(Door door, IWireMessage message)
        {
            string path = $"{((ExtendedActorSystem)_member).Provider.DefaultAddress}{door.Path}";
            if (door.IsSelected)
                _system.ActorSelection(path).Tell(message, _sender);
            else
                ((ExtendedActorSystem)_system).Provider.ResolveActorRef(path).Tell(message, _sender);
        }
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(ChannelWriter<object> heard)
        {
            ReceiveAny(message => heard.TryWrite(message));
            if (Self.Path.Name == "node")
                Context.ActorOf(Props.Create(() => new Listener(heard)), "sessions");
        }
    }

    private static void Row(StringBuilder table, string what, string[] results) => table.Append("| ").Append(what).Append(" | ").AppendJoin(" | ", results).Append(" |\n");

    private static X509Certificate2 Of(string directory) => IdentityFiles.Read(directory).Certificate;

    /// <summary>With CRASHCART_RENEW_GOLDEN=1 the page is made true.</summary>
    private static void Compare(string table)
    {
        string page = Path.Combine(RepositoryRoot.Path, "docs/security.md"), text = File.ReadAllText(page);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end > begin, $"{page} has a table between {Begin} and {End}");
        if (Environment.GetEnvironmentVariable("CRASHCART_RENEW_GOLDEN") == "1")
            File.WriteAllText(page, text[..begin] + "\n" + table + "\n" + text[end..]);
        else
            Assert.Equal(text[begin..end].Trim(), table.Trim());
    }
}
