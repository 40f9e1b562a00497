using System.Runtime.InteropServices;
using Crashcart.Actors.Node;

namespace Crashcart.Actors;

/// <summary>
/// Numbers for what a container is looked for by. Equal things have equal numbers; that others have so too may happen, so a number that
/// is missing proves something, and one that is there does not.
/// </summary>
internal static class Fingerprint
{
    /// <summary>Of a container that has the label, whatever its value.</summary>
    public static ulong OfKey(string key) => Of("key", key);

    public static ulong OfLabel(string key, string value) => Of("label", key, value);

    /// <summary>Of a container's name, or its whole id.</summary>
    public static ulong OfName(string name) => Of("name", name);

    /// <summary>Of everything that the container is looked for by.</summary>
    public static IEnumerable<ulong> Of(Container container) => container.Labels
        .SelectMany(label => (ulong[])[OfKey(label.Key), OfLabel(label.Key, label.Value)])
        .Concat([OfName(container.Name), OfName(container.Id.Value)]);

    /// <summary>FNV-1a: processes of other versions and machines must come to the same.</summary>
    private static ulong Of(params ReadOnlySpan<string> parts)
    {
        ulong hash = 14695981039346656037;
        foreach (string part in parts)
        {
            foreach (ushort unit in MemoryMarshal.Cast<char, ushort>(part))
                hash = (hash ^ unit) * 1099511628211;
            // No text has this unit in it by which one part could pass for two.
            hash = (hash ^ (1 << 16)) * 1099511628211;
        }
        return hash;
    }
}
