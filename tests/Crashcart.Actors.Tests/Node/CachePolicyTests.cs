using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using static Crashcart.Actors.Tests.Node.Doubles.ScriptedStoredImages;

namespace Crashcart.Actors.Tests.Node;

public sealed class CachePolicyTests
{
    private static readonly IReadOnlyList<StoredImage> Stored = [Image('a', 30, 3), Image('b', 40, 1), Image('c', 20, 2)];

    [Fact]
    public void Removes_nothing_when_there_is_room() => Assert.Empty(MakeRoom(needed: 10)!);

    [Fact]
    public void Removes_what_was_not_used_for_longest() => Assert.Equal([Digest('b')], MakeRoom(needed: 50));

    [Fact]
    public void Removes_only_as_many_as_needed() => Assert.Equal([Digest('b'), Digest('c')], MakeRoom(needed: 51));

    [Fact]
    public void Never_removes_what_is_busy() => Assert.Equal([Digest('c'), Digest('a')], MakeRoom(needed: 40, busy: [Digest('b')]));

    [Fact]
    public void Removes_nothing_when_all_would_not_be_enough() => Assert.Null(MakeRoom(needed: 101));

    [Fact]
    public void What_fetches_under_way_will_take_counts() => Assert.Equal([Digest('b')], MakeRoom(needed: 10, promised: 5));

    [Fact]
    public void What_a_coordinator_keeps_neither_counts_nor_goes() =>
        Assert.Empty(CachePolicy.MakeRoom([Image('a', 90, 0) with { IsKept = true }], new HashSet<ImageDigest>(), 0, 100, 100)!);

    private static IReadOnlyList<ImageDigest>? MakeRoom(long needed, long promised = 0, params ImageDigest[] busy) =>
        CachePolicy.MakeRoom(Stored, busy.ToHashSet(), promised, needed, limit: 100);

    private static StoredImage Image(char digit, long size, int lastUsed) =>
        new(Digest(digit), size, true, false, DateTimeOffset.UnixEpoch.AddSeconds(lastUsed));
}
