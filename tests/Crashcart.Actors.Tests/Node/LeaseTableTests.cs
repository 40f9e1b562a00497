using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node;

public sealed class LeaseTableTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddHours(1);

    private readonly LeaseTable _table = new();

    [Fact]
    public void Asking_twice_is_one_lease()
    {
        var first = _table.Hold(Mount(1), "web", "anna", Now);

        Assert.Equal(first, _table.Hold(Mount(1), "web", "bert", Now));
        Assert.Equal(first, Assert.Single(_table.All));
    }

    [Fact]
    public void A_mount_that_was_found_before_it_was_told_of_gets_its_holder()
    {
        var found = Assert.Single(_table.Settle([Mount(1)], Known(), Now).Adopted);
        Assert.Equal(MountLease.OnTheHost, found.Holder);

        var held = _table.Hold(Mount(1), "web", "anna", Now);

        Assert.Equal(found with { Holder = "anna", ContainerName = "web" }, held);
        Assert.Equal(held, Assert.Single(_table.All));
    }

    [Fact]
    public void A_mount_of_sessions_gets_no_lease() =>
        Assert.False(_table.Settle([Mount(1) with { MadeBySessions = true }], Known(), Now).ChangesSomething);

    [Fact]
    public void A_lease_ends_with_its_mount_when_it_is_older_than_the_look()
    {
        var old = _table.Hold(Mount(1), "web", "anna", Now);
        var known = Known();
        var young = _table.Hold(Mount(2), "db", "anna", Now);

        Assert.Equal(old, Assert.Single(_table.Settle([], known, Now).Ended));
        Assert.Equal(young, Assert.Single(_table.All));
    }

    [Fact]
    public void A_mount_in_place_of_another_is_another()
    {
        var old = _table.Hold(Mount(1), "web", "anna", Now);

        var settlement = _table.Settle([Mount(2)], Known(), Now);

        Assert.Equal(old, Assert.Single(settlement.Ended));
        Assert.Single(settlement.Adopted);
    }

    [Fact]
    public void A_lease_ends_with_the_mount_at_its_place_or_with_the_container()
    {
        var usual = _table.Hold(Mount(1), "web", "anna", Now);
        var data = _table.Hold(Mount(2, "/dev/crashcart-data"), "web", "anna", Now);
        var other = _table.Hold(Mount(3, "/dev/crashcart-other"), "web", "anna", Now);

        Assert.Equal(usual, Assert.Single(_table.End(usual.Mount.Container, 10, new MountPath("/dev/crashcart"))));
        Assert.Empty(_table.End(usual.Mount.Container, 10, default(MountPath)));
        Assert.Equal([data, other], _table.End(usual.Mount.Container, 10));
    }

    [Fact]
    public void A_lease_that_was_kept_is_taken_up_once_with_its_mount()
    {
        var (found, lost) = (_table.Hold(Mount(1), "web", "anna", Now), _table.Hold(Mount(2), "web", "anna", Now));
        _table.Restore(found);
        _table.Restore(lost);

        Assert.Equal(found, Assert.Single(_table.Settle([Mount(1)], Known(), Now).TakenUp));
        Assert.Empty(_table.Settle([Mount(1)], Known(), Now).TakenUp);
    }

    [Fact]
    public void A_mount_that_stays_changes_nothing()
    {
        _table.Restore(_table.Hold(Mount(1), "web", "anna", Now));

        Assert.False(_table.Settle([Mount(1)], Known(), Now).ChangesSomething);
    }

    [Fact]
    public void The_leases_of_a_process_end_with_it_and_no_others()
    {
        _table.Hold(Mount(1), "web", "anna", Now);
        var other = _table.Hold(Mount(2) with { Pid = 11 }, "web", "anna", Now);

        Assert.Single(_table.End(new ContainerId("c"), 10));
        Assert.Empty(_table.End(new ContainerId("c"), 10));
        Assert.Equal(other, Assert.Single(_table.All));
    }

    private static FoundMount Mount(int id, string path = "") =>
        new(new ContainerId("c"), 10, 5, id, "/dev/loop0", "key", "/image", new MountPath(path), MadeBySessions: false);

    private HashSet<LeaseId> Known() => [.. _table.All.Select(lease => lease.Id)];
}
