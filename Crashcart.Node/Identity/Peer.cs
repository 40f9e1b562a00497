using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Remoting;

namespace Crashcart.Node.Identity;

/// <summary>What the holder of a certificate is in a fleet.</summary>
public enum PeerRole
{
    Node,
    Coordinator,
    User,
}

/// <summary>
/// Who a certificate is for, as its subject states it: <c>CN=NAME, OU=ROLE, O=GROUP…</c>. To be believed of certificates only that
/// the fleet's authority signed.
/// </summary>
/// <param name="Serial">Upper-case hexadecimal.</param>
public sealed record Peer(PeerRole Role, string Name, IReadOnlyList<string> Groups, string Serial)
{
    private const string CommonName = "2.5.4.3";
    private const string OrganizationalUnit = "2.5.4.11";
    private const string Organization = "2.5.4.10";

    /// <summary>Null when the subject is of another form.</summary>
    public static Peer? Of(X509Certificate2 certificate)
    {
        List<string> names = [], roles = [], groups = [];
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            if (part.HasMultipleElements)
                return null;
            (part.GetSingleElementType().Value switch
            {
                CommonName => names,
                OrganizationalUnit => roles,
                Organization => groups,
                _ => [],
            }).Add(part.GetSingleElementValue() ?? "");
        }

        return names is [var name] && roles is [var text] && RoleOf(text) is { } role
            ? new Peer(role, name, groups, certificate.SerialNumber)
            : null;
    }

    /// <summary>The subject of a certificate for it.</summary>
    public X500DistinguishedName ToSubject()
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(Name);
        subject.AddOrganizationalUnitName(Text(Role));
        foreach (var group in Groups)
            subject.AddOrganizationName(group);
        return subject.Build();
    }

    public MemberName ToMember() => new(Role == PeerRole.Coordinator, Name);

    public override string ToString() => $"{Text(Role)} {Name}";

    /// <summary>As certificates and people write it.</summary>
    public static string Text(PeerRole role) => role.ToString().ToLowerInvariant();

    private static PeerRole? RoleOf(string text) =>
        Enum.GetValues<PeerRole>().Where(role => Text(role) == text).Select(role => (PeerRole?)role).FirstOrDefault();
}
