using System.Numerics;

namespace Crashcart.Native;

/// <summary>Capabilities(7) as people write them, and as bits.</summary>
public static class CapabilityNames
{
    /// <inheritdoc cref="Capabilities.Mask"/>
    public static ulong Mask(IEnumerable<string> names) => Capabilities.Mask(names);

    /// <summary>For people, separated by commas; ALL when it is every one.</summary>
    public static string Of(ulong mask)
    {
        if (mask == ulong.MaxValue)
            return "ALL";
        var names = new List<string>();
        for (ulong left = mask; left != 0; left &= left - 1)
            names.Add(Capabilities.NameOf(BitOperations.TrailingZeroCount(left)));
        return string.Join(", ", names);
    }
}
