using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
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

        string[] members = await Members(visitors);
        foreach (string path in new ClusterSettings("127.0.0.1", 0, [ClusterSettings.CoordinatorRole], []).ToConfig().GetStringList("akka.remote.trusted-selection-paths"))
            Row(table, $"`{path}`", members);
        Row(table, "any other actor", [.. members.Select(member => member == NoConnection ? member : "dropped")]);

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

    /// <summary>What comes of everybody who dials a member, as the coordinator is one.</summary>
    private async Task<string[]> Members((string Name, X509Certificate2? Shown)[] visitors)
    {
        using MemberIdentity identity = _authority.Open(PeerRole.Coordinator, "c3");
        var cluster = new ClusterSettings("127.0.0.1", 0, [ClusterSettings.CoordinatorRole], []) { Identity = identity };
        using ActorSystem system = ActorSystem.Create(ClusterSettings.SystemName, cluster.ToSetup());
        using var warnings = Inbox.Create(system);
        system.EventStream.Subscribe(warnings.Receiver, typeof(Warning));
        int port = ((ExtendedActorSystem)system).Provider.DefaultAddress.Port!.Value;
        return await Each(visitors, visitor => Join(port, visitor.Shown, warnings));
    }

    /// <summary>Says something that ends a member's connection, and looks why this one was ended.</summary>
    private async Task<string> Join(int port, X509Certificate2? shown, Inbox warnings)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port);
        string from = $":{((IPEndPoint)socket.Client.LocalEndPoint!).Port}";
        try
        {
            await using var tls = new SslStream(socket.GetStream(), false, (_, peer, _, _) => Trust.Require(peer, "127.0.0.1", PeerRole.Coordinator) is not null);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", ClientCertificates = shown is null ? [] : [shown] }, CancellationToken.None);
            await tls.WriteAsync(BitConverter.GetBytes(int.MaxValue));
            await tls.CopyToAsync(Stream.Null).WaitAsync(Patience);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // So it is for who is no member.
        }

        while (true)
        {
            string why = ((Warning)await warnings.ReceiveAsync(Patience)).Message.ToString()!;
            if (why.Contains(from, StringComparison.Ordinal))
                return why.Contains("it sent a frame of", StringComparison.Ordinal) ? "messages of the protocol" : NoConnection;
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
