using Crashcart.Actors.Policies;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>Everything is allowed, or nothing.</summary>
internal sealed class SettablePolicy : IPolicy
{
    private volatile bool _allows = true;

    public bool Allows
    {
        get => _allows;
        set => _allows = value;
    }

    public IReadOnlyList<PolicyProfile> Profiles => [];

    public PolicyVerdict Decide(PolicyQuestion question) => new(Allows, null);

    public bool MayAllow(PolicyQuestion question) => Allows;
}
