using Crashcart.Actors.Policies;
using Crashcart.Native;
using YamlDotNet.RepresentationModel;

namespace Crashcart.Coordinator.Policies;

/// <summary><c>profiles:</c>, by their names.</summary>
internal static partial class PolicyParser
{
    private const int LongestName = 63;

    private static List<PolicyProfile> Profiles(Place at, YamlMappingNode root)
    {
        var profiles = new List<PolicyProfile>();
        if (!root.Children.TryGetValue("profiles", out YamlNode? node))
            return profiles;
        if (node is not YamlMappingNode all)
            throw at.Wrong(node, "'profiles' takes names, each with a profile");
        foreach ((YamlNode key, YamlNode value) in all.Children)
        {
            if (key is not YamlScalarNode { Value: { } name } || !IsProfileName(name))
                throw at.Wrong(key, $"a profile's name is up to {LongestName} letters, digits and -_., beginning with a letter or digit");
            if (PolicyProfile.BuiltIn.Contains(name))
                throw at.Wrong(key, $"the profile '{name}' is built in: give yours another name");
            profiles.Add(Profile(at, name, at.Mapping(value, "a profile", ["base", "capabilities", "add", "drop", "may-add", "seccomp", "no-new-privileges"])));
        }
        return profiles;
    }

    private static PolicyProfile Profile(Place at, string name, YamlMappingNode node)
    {
        string? chosen = at.Word(node, "base", [.. PolicyProfile.BuiltIn]);
        ulong? capabilities = node.Children.ContainsKey("capabilities") ? Capabilities(at, node, "capabilities") : null;
        if ((chosen is null) == (capabilities is null))
            throw at.Wrong(node, "a profile needs either 'base' (restricted, debug or privileged) or 'capabilities' with a list");
        string builtUpon = chosen ?? PolicyProfile.Restricted;
        bool filters = at.Word(node, "seccomp", ["true", "false"]) is { } seccomp ? seccomp == "true" : builtUpon == PolicyProfile.Restricted;
        bool isShut = at.Word(node, "no-new-privileges", ["true", "false"]) is { } shut ? shut == "true" : builtUpon != PolicyProfile.Privileged || filters;
        if (!isShut && builtUpon != PolicyProfile.Privileged)
            throw at.Wrong(node.Children["no-new-privileges"], "only a profile with 'base: privileged' can do without no-new-privileges");
        if (!isShut && filters)
            throw at.Wrong(node.Children["no-new-privileges"], "'seccomp: true' needs no-new-privileges");
        return new PolicyProfile(name, builtUpon, capabilities, Capabilities(at, node, "add"), Capabilities(at, node, "drop"), filters, isShut)
        {
            MayAdd = Capabilities(at, node, "may-add"),
        };
    }

    private static ulong Capabilities(Place at, YamlMappingNode profile, string name)
    {
        if (!profile.Children.TryGetValue(name, out YamlNode? list) || list is YamlSequenceNode { Children.Count: 0 })
            return 0;
        ulong mask = 0;
        foreach ((string text, YamlNode node) in at.Texts(profile, name).Zip(((YamlSequenceNode)list).Children))
        {
            try
            {
                mask |= CapabilityNames.Mask([text]);
            }
            catch (CrashcartException e)
            {
                throw at.Wrong(node, char.ToLowerInvariant(e.Message[0]) + e.Message[1..].TrimEnd('.'));
            }
        }
        return mask;
    }

    private static bool IsProfileName(string name) =>
        name.Length is > 0 and <= LongestName && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || "-_.".Contains(c, StringComparison.Ordinal));
}
