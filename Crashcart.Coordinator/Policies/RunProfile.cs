using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Api;
using Crashcart.Native;
using Grpc.Core;

namespace Crashcart.Coordinator.Policies;

/// <summary>The profile that somebody asks for, as the policy has it.</summary>
/// <param name="Definition">Null: it is a built-in one.</param>
internal sealed record RunProfile(string Name, PolicyProfile? Definition)
{
    /// <param name="name">Empty: the default.</param>
    /// <exception cref="RpcException">There is none of that name.</exception>
    public static RunProfile Of(IPolicy policy, string name)
    {
        if (name.Length == 0)
            name = PolicyProfile.Default;
        if (PolicyProfile.BuiltIn.Contains(name))
            return new RunProfile(name, null);
        return policy.Profiles.FirstOrDefault(profile => profile.Name == name) is { } own
            ? new RunProfile(name, own)
            : throw RunMapping.Invalid(
                $"There is no profile '{name}'; the policy of this coordinator has {string.Join(", ", PolicyProfile.BuiltIn.Concat(policy.Profiles.Select(profile => profile.Name)))}.");
    }

    /// <summary>As rules write it.</summary>
    /// <param name="added">Capabilities that are asked for beside it.</param>
    /// <exception cref="RpcException">There is no such capability.</exception>
    public string With(IReadOnlyCollection<string> added) =>
        // Whoever may choose capabilities one by one may have all of them.
        added.Count == 0 || (Definition is { } own && (Mask(added) & ~own.MayAdd) == 0) ? Name : PolicyProfile.Privileged;

    /// <summary>As nodes take it.</summary>
    public ProfileDefinition? ToWire()
    {
        if (Definition is not { } own)
            return null;
        var wire = new ProfileDefinition
        {
            Base = own.Base,
            Added = own.Added,
            Dropped = own.Dropped,
            FiltersCalls = own.FiltersCalls,
            NoNewPrivileges = own.NoNewPrivileges,
        };
        if (own.Capabilities is { } capabilities)
            wire.Capabilities = capabilities;
        return wire;
    }

    /// <summary>For people: what it is; empty for a built-in one.</summary>
    public string Describe()
    {
        if (Definition is not { } own)
            return "";
        string capabilities = own.Capabilities is { } set ? set == 0 ? "no capabilities" : CapabilityNames.Of(set) : $"as {own.Base}";
        return $"The profile {Name}: {capabilities}{Part(", with ", own.Added)}{Part(", without ", own.Dropped)}{Part(", may add ", own.MayAdd)}; "
            + $"seccomp {(own.FiltersCalls ? "on" : "off")}, no-new-privileges {(own.NoNewPrivileges ? "on" : "off")}.";
    }

    private static string Part(string word, ulong mask) => mask == 0 ? "" : word + CapabilityNames.Of(mask);

    private static ulong Mask(IEnumerable<string> names)
    {
        try
        {
            return CapabilityNames.Mask(names);
        }
        catch (CrashcartException e)
        {
            throw RunMapping.Invalid(e.Message);
        }
    }
}
