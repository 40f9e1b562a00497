using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Coordinator.Tests.Identity;

/// <summary>What a node takes for granted, and what not.</summary>
public sealed class GrantTests : IDisposable
{
    private readonly TickingTime _time = new();
    private readonly TestAuthority _authority = new();
    private readonly List<IDisposable> _open = [];
    private readonly GrantSigner _signer;
    private readonly GrantCheck _node;

    public GrantTests()
    {
        _signer = new GrantSigner(Open(PeerRole.Coordinator, "c1"), _time);
        _node = new GrantCheck(Open(PeerRole.Node, "alpha"), "alpha", _time);
    }

    [Fact]
    public void What_a_coordinator_granted_is_taken_once()
    {
        Granted granted = _signer.Sign(Grant());

        OpenedGrant first = _node.Open(granted);

        Assert.Equal(new OpenedGrant(Request(), ""), first);
        Refused("its grant was used before", granted);
        Taken(_signer.Sign(Grant()));
    }

    [Fact]
    public void Every_kind_of_request_is_granted_as_it_is() => Assert.All(
        (IWireMessage[])[Request(), new MountImage { ContainerId = "web", Holder = "alice" }, new UnmountImage { ContainerId = "web", Force = true }],
        request =>
        {
            Grant grant = Actors.Protocol.Grant.Of(request);
            grant.Node = "alpha";
            Assert.Equal(new OpenedGrant(request, ""), _node.Open(_signer.Sign(grant)));
        });

    /// <summary>Every bit of every byte, and every length: none of them is taken, and the grant itself still is.</summary>
    [Fact]
    public void A_grant_of_which_one_bit_was_altered_is_refused()
    {
        Granted granted = _signer.Sign(Grant());
        byte[] bytes = granted.ToByteArray();

        for (int at = 0; at < bytes.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                bytes[at] ^= (byte)(1 << bit);
                Assert.False(IsTaken(bytes), $"byte {at}, bit {bit}");
                bytes[at] ^= (byte)(1 << bit);
            }
            Assert.False(IsTaken(bytes[..at]), $"the first {at} bytes");
            Assert.False(IsTaken([.. bytes[..at], .. bytes[(at + 1)..]]), $"without byte {at}");
        }

        Taken(granted);
    }

    [Fact]
    public void A_grant_is_for_one_node()
    {
        Grant grant = Grant();
        grant.Node = "beta";

        Refused("it is granted to node beta", _signer.Sign(grant));
    }

    [Fact]
    public void A_grant_is_good_for_a_minute()
    {
        Granted early = _signer.Sign(Grant());
        Granted late = _signer.Sign(Grant());

        _time.Now += TimeSpan.FromSeconds(59);
        Taken(early);
        _time.Now += TimeSpan.FromSeconds(1);

        Refused("its grant has expired", late);
    }

    [Theory]
    [InlineData(60, 0)]
    [InlineData(0, 3600)]
    [InlineData(-3600, 7200)]
    public void A_grant_that_is_of_another_time_or_good_for_longer_is_refused(int ahead, int longer)
    {
        using MemberIdentity coordinator = Open(PeerRole.Coordinator, "c2");
        Grant grant = Grant();
        grant.Nonce = ByteString.CopyFrom(new byte[16]);
        grant.IssuedUnixMs = _time.Now.AddSeconds(ahead).ToUnixTimeMilliseconds();
        grant.ExpiresUnixMs = grant.IssuedUnixMs + 60_000 + longer * 1000;

        Refused("its grant is not of now", GrantSigner.Sign(grant.ToByteString(), coordinator.Certificate));
    }

    [Fact]
    public void A_grant_from_before_the_nodes_process_is_refused_for_what_was_used_then_is_forgotten()
    {
        Granted granted = _signer.Sign(Grant());
        _time.Now += TimeSpan.FromSeconds(5);
        var restarted = new GrantCheck(Open(PeerRole.Node, "alpha"), "alpha", _time);

        Assert.Contains("from before this node's process", restarted.Open(granted).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PeerRole.User, "is user mallory, and this is for coordinators only")]
    [InlineData(PeerRole.Node, "is node mallory, and this is for coordinators only")]
    public void None_but_coordinators_grant_anything(PeerRole role, string reason) =>
        Refused(reason, Sign(IdentityFiles.Read(_authority.Issue(role, "mallory")).Certificate));

    [Fact]
    public void Another_authoritys_coordinator_grants_nothing()
    {
        using var other = new TestAuthority();

        Refused("not signed by this fleet's authority", Sign(IdentityFiles.Read(other.Issue(PeerRole.Coordinator, "c1")).Certificate));
    }

    [Fact]
    public void A_coordinator_whose_certificate_expired_grants_nothing() => Refused(
        "expired since",
        Sign(IdentityFiles.Read(_authority.Issue(PeerRole.Coordinator, "c1", TimeSpan.FromSeconds(-1))).Certificate));

    [Fact]
    public void A_coordinator_that_was_revoked_grants_nothing_more()
    {
        string directory = _authority.Issue(PeerRole.Coordinator, "c3");
        X509Certificate2 certificate = IdentityFiles.Read(directory).Certificate;
        Taken(Sign(certificate));

        _authority.Revoke(directory);
        _time.Tick();

        Refused("showed a revoked certificate", Sign(certificate));
    }

    [Fact]
    public void Another_coordinators_certificate_does_not_make_a_signature_right()
    {
        using MemberIdentity other = Open(PeerRole.Coordinator, "c2");
        Granted granted = _signer.Sign(Grant());
        granted.Certificate = ByteString.CopyFrom(other.Certificate.RawData);

        Refused("not as a coordinator signed it", granted);
    }

    [Fact]
    public void A_grant_of_nothing_that_is_known_is_refused()
    {
        Refused("of another version", _signer.Sign(new Grant { Node = "alpha" }));
        Refused("showed no certificate", new Granted());
    }

    [Fact]
    public void What_was_used_is_remembered_for_as_long_as_it_would_be_good()
    {
        var book = new NonceBook();
        for (int second = 0; second < 10_000; second++)
        {
            ByteString nonce = ByteString.CopyFrom(BitConverter.GetBytes(second));
            Assert.True(book.Use(nonce, expiryMs: second + 60, nowMs: second));
            Assert.False(book.Use(nonce, expiryMs: second + 60, nowMs: second + 59));
        }

        Assert.InRange(book.Count, 1, 60);
    }

    public void Dispose()
    {
        foreach (IDisposable open in _open)
            open.Dispose();
        _authority.Dispose();
    }

    private static StartSession Request() => new() { SessionId = "run-1.0", ContainerId = "web", Tool = new ToolDescription { Argv = { "tcpdump" } } };

    private static Grant Grant()
    {
        Grant grant = Actors.Protocol.Grant.Of(Request());
        (grant.Node, grant.Subject, grant.Verb) = ("alpha", "user:alice", "exec");
        return grant;
    }

    private Granted Sign(X509Certificate2 certificate)
    {
        Grant grant = Actors.Protocol.Grant.Parser.ParseFrom(_signer.Sign(Grant()).Grant);
        return GrantSigner.Sign(grant.ToByteString(), certificate);
    }

    private void Taken(Granted granted) => Assert.Equal("", _node.Open(granted).Problem);

    private void Refused(string reason, Granted granted)
    {
        string problem = _node.Open(granted).Problem;
        Assert.StartsWith("Node alpha did not take it: ", problem, StringComparison.Ordinal);
        Assert.Contains(reason, problem, StringComparison.Ordinal);
    }

    private bool IsTaken(byte[] bytes)
    {
        try
        {
            return _node.Open(Granted.Parser.ParseFrom(bytes)).Problem.Length == 0;
        }
        catch (InvalidProtocolBufferException)
        {
            // It does not get as far as the node's actors.
            return false;
        }
    }

    private MemberIdentity Open(PeerRole role, string name)
    {
        var identity = new MemberIdentity(
            _authority.Issue(role, name), Path.Combine(_authority.Location, "..", $"state-{Guid.NewGuid():N}"), role, _time, NullLogger.Instance, _authority.Authority.RevocationPath);
        _open.Add(identity);
        return identity;
    }
}
