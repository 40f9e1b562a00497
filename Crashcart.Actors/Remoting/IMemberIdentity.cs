using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Akka.Actor.Setup;

namespace Crashcart.Actors.Remoting;

/// <summary>How a process proves to other members who it is, and tells whether they are who they must be. Called by many threads.</summary>
public interface IMemberIdentity
{
    /// <summary>Something that <see cref="Refusal"/> depends on is another now: who was welcome may be so no longer.</summary>
    event Action Changed;

    /// <summary>With its private key. Asked at every handshake: it may be another after a while.</summary>
    X509Certificate2 Certificate { get; }

    /// <summary>The authority's list of revoked certificates, as it is sent; null while nothing is revoked.</summary>
    ReadOnlyMemory<byte>? Revoked { get; }

    /// <summary>Why the holder of the certificate is no member, as the end of a sentence that begins with the peer; null for a member.</summary>
    string? Refusal(X509Certificate2 certificate);

    /// <summary>For handshakes.</summary>
    /// <param name="host">By which the peer was dialled; null where it dialled.</param>
    /// <returns>The peer's certificate.</returns>
    /// <exception cref="AuthenticationException">The peer is no member, or not who was dialled; says why.</exception>
    X509Certificate2 Require(X509Certificate? shown, string? host);

    /// <summary>Whom a certificate is for that <see cref="Refusal"/> says nothing against.</summary>
    MemberName NameOf(X509Certificate2 certificate);

    /// <summary>Takes a list of revoked certificates, when it is the authority's and newer; blocks until it is on the disk.</summary>
    void Take(ReadOnlyMemory<byte> list);
}

/// <summary>Who a member is, as its certificate says.</summary>
/// <param name="IsCoordinator">Else it is a node.</param>
public sealed record MemberName(bool IsCoordinator, string Name)
{
    public override string ToString() => $"{(IsCoordinator ? "coordinator" : "node")} {Name}";
}

/// <summary>Gives an actor system the identity that <see cref="TlsTransport"/> uses.</summary>
internal sealed class MemberIdentitySetup(IMemberIdentity identity) : Setup
{
    public IMemberIdentity Identity { get; } = identity;
}
