using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Crashcart.Actors.Fleet;

/// <summary>Some of the targets, as many as asked for, drawn by chance: the same seed draws the same among the same.</summary>
/// <param name="IsPercent">Of the targets, rounded up.</param>
/// <param name="Seed">Each target has a place in the draw that depends on this and on the target alone, so others that come and go change little.</param>
public readonly record struct TargetSample(int Value, bool IsPercent, ulong Seed)
{
    /// <returns>The drawn targets, in the order in which they were given.</returns>
    public IReadOnlyList<RunTarget> Draw(IReadOnlyList<RunTarget> targets)
    {
        long size = IsPercent ? (((long)Value * targets.Count) + 99) / 100 : Value;
        if (size >= targets.Count)
            return targets;
        ulong seed = Seed;
        return [.. targets.Index()
            .OrderBy(target => Place(seed, target.Item))
            .Take((int)size)
            .OrderBy(target => target.Index)
            .Select(target => target.Item)];
    }

    private static ulong Place(ulong seed, RunTarget target) => BinaryPrimitives.ReadUInt64BigEndian(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{target.Node}/{target.Container.Id}")));
}
