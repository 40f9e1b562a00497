using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Remoting;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A member that shows what it likes, and hears of nothing.</summary>
internal sealed class ShownIdentity(X509Certificate2 certificate, Trust trust) : IMemberIdentity
{
    public event Action Changed
    {
        add { }
        remove { }
    }

    public X509Certificate2 Certificate => certificate;

    public ReadOnlyMemory<byte>? Revoked => null;

    public string? Refusal(X509Certificate2 peer) => trust.Refusal(peer, PeerRole.Coordinator, PeerRole.Node);

    public X509Certificate2 Require(X509Certificate? shown, string? host) => trust.Require(shown, host, PeerRole.Coordinator, PeerRole.Node);

    public MemberName NameOf(X509Certificate2 peer) => Peer.Of(peer)!.ToMember();

    public void Take(ReadOnlyMemory<byte> list)
    {
    }
}
