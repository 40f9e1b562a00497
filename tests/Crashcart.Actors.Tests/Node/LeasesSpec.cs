using Akka.Actor;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Reconciliation;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Node;

/// <summary>What people hold, and what the node makes of what it finds.</summary>
public sealed class LeasesSpec : NodeSpec
{
    public LeasesSpec() => Runtime.Run(Web);

    [Fact]
    public void A_person_holds_a_mount_until_it_is_given_back()
    {
        var node = Start();

        var lease = Mount(node);

        Assert.Equal("", lease.Problem);
        var held = Assert.Single(Find(node).Mounts);
        Assert.Equal(
            (lease.LeaseId, Web.Id.Value, "web", "/dev/loop7", "/crashcart.img", "anna"),
            (held.LeaseId, held.ContainerId, held.Container, held.LoopDevice, held.Image, Assert.Single(held.Holders)));
        Assert.InRange(held.SinceUnixMs, DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        AwaitAssert(() => Assert.Equal(lease.LeaseId, Assert.Single(Host.Kept).Id.Value));
        Assert.Equal(1, Describe(node).Mounts);

        Assert.True(Unmount(node).WasMounted);

        AwaitAssert(() => Assert.Empty(Host.Kept));
        Assert.Empty(Find(node).Mounts);
        Assert.Equal(0, Describe(node).Mounts);
    }

    [Fact]
    public void The_image_is_held_only_until_the_mount_holds_it()
    {
        Mount(Start());

        AwaitAssert(() => Assert.Equal((1, 0), (Images.Attachments, Images.Attached)));
        AwaitAssert(() => Assert.Contains(Targets.Opened, target => target.IsDisposed));
    }

    [Fact]
    public void A_mount_that_is_refused_leaves_no_lease()
    {
        Host.AttachRefusal = new NodeException(NodeFailure.Failed, "Another image is mounted there.");
        var node = Start();

        Assert.Equal("Another image is mounted there.", Mount(node).Problem);

        AwaitAssert(() => Assert.Equal(0, Images.Attached));
        Assert.Empty(Find(node).Mounts);
    }

    [Fact]
    public void A_mount_that_is_used_is_given_back_only_by_force()
    {
        var node = Start();
        Mount(node);
        Host.DetachRefusal = new NodeException(NodeFailure.Failed, "It is used by 7 (sh).");

        Assert.Equal("It is used by 7 (sh).", Unmount(node).Problem);
        Assert.Single(Find(node).Mounts);
        Assert.Equal("", Unmount(node, force: true).Problem);

        Assert.Empty(Find(node).Mounts);
    }

    [Fact]
    public void A_container_that_does_not_run_takes_no_mount()
    {
        var node = Start();

        node.Tell(new MountImage { CorrelationId = "c", ContainerId = "nosuch" }, TestActor);

        Assert.Equal("Container nosuch does not run on this node any more.", ExpectMsg<ImageMounted>().Problem);
    }

    [Fact]
    public void A_lease_ends_with_its_container()
    {
        var node = Start();
        Mount(node);

        Targets.Exit(Web.Pid);

        AwaitAssert(() => Assert.Empty(Host.Kept));
    }

    [Fact]
    public void Mounts_at_several_places_of_a_container_are_leases_of_their_own()
    {
        var node = Start();
        var (usual, data) = (Mount(node), Mount(node, "/dev/crashcart-data"));
        StartSession(node, "run-1-0", shared: true);

        Assert.Equal(
            [("/dev/crashcart", usual.LeaseId, "anna, run-1-0"), ("/dev/crashcart-data", data.LeaseId, "anna")],
            Find(node).Mounts.Select(mount => (mount.Path, mount.LeaseId, string.Join(", ", mount.Holders))).Order());
        Assert.True(Unmount(node).WasMounted);
        Assert.False(Unmount(node).WasMounted);
        Assert.Equal(data.LeaseId, Assert.Single(Find(node).Mounts).LeaseId);

        Targets.Exit(Web.Pid);

        AwaitAssert(() => Assert.Empty(Host.Kept));
    }

    [Fact]
    public void Leases_outlive_the_node_as_long_as_their_mounts_do()
    {
        var (kept, gone) = (Lease(Host.Mount(Web.Pid, Web.Id)), Lease(Host.Mount(200, new ContainerId("db"))));
        Host.Unmount(gone.Mount);
        Host.Kept = [kept, gone];

        var node = Start();

        Assert.Equal(kept.Id.Value, Assert.Single(Find(node).Mounts).LeaseId);
        AwaitAssert(() => Assert.Equal(kept.Id, Assert.Single(Host.Kept).Id));
        AwaitAssert(() => Assert.Equal(1, Describe(node).Adopted));
        Find(node);
        Assert.Equal(1, Describe(node).Adopted);
    }

    [Fact]
    public void A_mount_that_was_made_on_the_host_is_adopted_when_somebody_looks()
    {
        var node = Start();
        Host.Mount(Web.Pid, Web.Id);

        Assert.Single(Find(node).Mounts);
        AwaitAssert(() => Assert.Equal("web", Assert.Single(Host.Kept).ContainerName));

        var held = Assert.Single(Find(node).Mounts);
        Assert.Equal(("web", MountLease.OnTheHost), (held.Container, Assert.Single(held.Holders)));
        AwaitAssert(() => Assert.Equal((1, 1), (Describe(node).Adopted, Describe(node).Mounts)));
    }

    [Fact]
    public void The_kernel_is_looked_at_every_minute()
    {
        Start();
        AwaitAssert(() => Assert.Equal(1, Host.Looks));

        AwaitAssert(() =>
        {
            Advance(ReconcilerActor.Interval);
            Assert.Equal(2, Host.Looks);
        });
    }

    [Fact]
    public void What_killed_sessions_left_is_released_and_counted()
    {
        Host.Mount(Web.Pid, Web.Id, bySessions: true);
        Host.LeaveSession("run-0-0");

        var node = Start();

        AwaitAssert(() => Assert.Equal((0, 0), (Host.Mounts.Count, Host.Sessions.Count)));
        AwaitAssert(() => Assert.Equal((0, 2), (Describe(node).Adopted, Describe(node).Reclaimed)));
        Assert.Empty(Find(node).Mounts);
    }

    [Fact]
    public void What_others_use_stays()
    {
        var mount = Host.Mount(Web.Pid, Web.Id, bySessions: true);
        Host.Used.Add(mount.MountId);

        var node = Start();

        Assert.Equal("", Assert.Single(Find(node).Mounts).LeaseId);
        Assert.Equal(0, Describe(node).Reclaimed);
    }

    [Fact]
    public void A_session_is_listed_and_what_it_uses_stays()
    {
        var node = Start();
        Host.Mount(Web.Pid, Web.Id, bySessions: true);
        Host.LeaveSession("run-1-0");
        StartSession(node, "run-1-0", shared: true);

        var found = Find(node);

        var session = Assert.Single(found.Sessions);
        Assert.Equal(
            ("run-1-0", "run-1", "web", "bash", true, "/dev/loop7"),
            (session.SessionId, session.RunId, session.Container, session.Tool, session.Shared, session.LoopDevice));
        Assert.Equal("run-1-0", Assert.Single(Assert.Single(found.Mounts).Holders));
        Assert.Equal((1, 1), (Host.Mounts.Count, Host.Sessions.Count));
    }

    [Fact]
    public void Only_what_the_selector_selects_is_listed()
    {
        var node = Start();
        Mount(node);
        Host.Mount(200, new ContainerId("db"));

        Assert.Equal(2, Find(node).Mounts.Count);
        Assert.Equal("web", Assert.Single(Find(node, "app=web").Mounts).Container);
        Assert.Empty(Find(node, "app=db").Mounts);
        Assert.NotEqual("", Find(node, "a b").Problem);
    }

    [Fact]
    public void A_lease_that_is_made_during_a_look_is_not_taken_for_one_that_is_over()
    {
        var hold = Host.Hold = new TaskCompletionSource();
        var node = Start();
        AwaitAssert(() => Assert.Equal(1, Host.Looks));

        var lease = Mount(node);
        Host.Hold = null;
        hold.SetResult();

        Assert.Equal(lease.LeaseId, Assert.Single(Find(node).Mounts).LeaseId);
    }

    [Fact]
    public void A_look_that_fails_is_told_and_the_next_one_succeeds()
    {
        Host.LookFailure = new NodeException(NodeFailure.Failed, "There is no /proc.");
        var node = Start();

        Assert.Equal("There is no /proc.", Find(node).Problem);
        Host.LookFailure = null;
        Assert.Equal("", Find(node).Problem);
    }

    [Fact]
    public void A_disk_that_is_full_ends_no_lease()
    {
        Host.DiskFailure = new NodeException(NodeFailure.Failed, "No space left on device.");
        var node = Start();

        var lease = Mount(node);

        Assert.Equal(lease.LeaseId, Assert.Single(Find(node).Mounts).LeaseId);
        Host.DiskFailure = null;
        Unmount(node);
        AwaitAssert(() => Assert.Empty(Host.Kept));
    }

    [Fact]
    public void What_is_held_is_told_with_the_digest_of_its_image()
    {
        var node = Start();
        Mount(node);
        StartSession(node, "run-1-0", shared: false);

        AwaitAssert(() =>
        {
            var found = Find(node);
            Assert.Equal("sha256:image-1", Assert.Single(found.Mounts).ImageDigest);
            Assert.Equal("sha256:image-1", Assert.Single(found.Sessions).ImageDigest);
        });
    }

    [Fact]
    public void A_lease_keeps_the_digest_of_its_image_when_the_node_has_another_after_a_restart()
    {
        Mount(Start());
        AwaitAssert(() => Assert.Equal("sha256:image-1", Assert.Single(Host.Kept).ImageDigest));
        Images.Key = "image-2";

        var node = Sys.ActorOf(NodeActor.Props(new NodeFacts("node-1", "0.1.0", "6.1", "x64"), Ports, new ScriptedCordon()), "restarted");

        AwaitAssert(() => Assert.Equal("sha256:image-2", Assert.Single(Describe(node).ImageDigests)));
        Assert.Equal("sha256:image-1", Assert.Single(Find(node).Mounts).ImageDigest);
    }

    [Fact]
    public void A_mount_of_an_image_of_the_fleet_waits_for_it_and_names_it()
    {
        var node = Start();
        Ask(node, ScriptedStoredImages.Wanted('a'));
        AwaitAssert(() => Assert.Equal(1, Stored.FetchesPending));
        Stored.Receive(45);
        for (var waited = TimeSpan.Zero; waited < AttachActor.Patience * 2; waited += TimeSpan.FromSeconds(5))
        {
            Advance(TimeSpan.FromSeconds(5));
            ExpectMsg<MountWaits>(waits => Assert.Equal(("m", "tools:a", 400), (waits.CorrelationId, waits.Image, waits.Size)));
        }

        Stored.CompleteFetch();

        Assert.Equal("", FishForMessage<ImageMounted>(_ => true).Problem);
        var digest = ScriptedStoredImages.Digest('a').ToString();
        AwaitAssert(() => Assert.Equal(digest, Assert.Single(Host.Kept).ImageDigest));
        Assert.Equal(digest, Assert.Single(Find(node).Mounts).ImageDigest);
    }

    [Fact]
    public void A_mount_that_nobody_waits_for_any_more_is_not_made()
    {
        var asker = CreateTestProbe();
        var node = Start();
        Ask(node, ScriptedStoredImages.Wanted('a'), asker);
        AwaitAssert(() => Assert.Equal(1, Stored.FetchesPending));

        Sys.Stop(asker);

        AwaitAssert(() => Assert.Equal(0, Stored.FetchesPending));
        Assert.Empty(Host.Mounts);
        Assert.Equal(0, Images.Attachments);
    }

    [Fact]
    public void An_image_that_cannot_be_fetched_is_not_mounted_and_the_reason_is_told()
    {
        var node = Start();
        Ask(node, ScriptedStoredImages.Wanted('a'));
        AwaitAssert(() => Assert.Equal(1, Stored.FetchesPending));

        Stored.FailFetch("No coordinator has it.");

        Assert.Equal("No coordinator has it.", FishForMessage<ImageMounted>(_ => true).Problem);
        Assert.Empty(Find(node).Mounts);
    }

    [Fact]
    public void An_image_is_not_dropped_as_long_as_a_lease_is_on_it_whichever_process_of_the_node_made_that()
    {
        Stored.Put('a');
        var mount = Host.Mount(Web.Pid, Web.Id, imageKey: "key-aaaa");
        Host.Kept = [Lease(mount) with { ImageDigest = ScriptedStoredImages.Digest('a').ToString() }];
        var node = Start();
        Find(node);

        Assert.Equal([Host.Kept[0].Id.Value], Drop(node).Users);
        Assert.Single(Stored.Digests);
        Unmount(node);

        AwaitAssert(() => Assert.Empty(Stored.Digests));
    }

    private static MountLease Lease(FoundMount mount) => new(LeaseId.New(), mount, "web", "anna", 1);

    private IActorRef Start() =>
        Sys.ActorOf(NodeActor.Props(new NodeFacts("node-1", "0.1.0", "6.1", "x64"), Ports, new ScriptedCordon()), NodeActor.Name);

    private ImageMounted Mount(IActorRef node, string path = "")
    {
        node.Tell(new MountImage { CorrelationId = "m", ContainerId = Web.Id.Value, Holder = "anna", Path = path }, TestActor);
        return ExpectMsg<ImageMounted>(mounted => Assert.Equal("m", mounted.CorrelationId));
    }

    private void Ask(IActorRef node, WantedImage image, IActorRef? asker = null) => node.Tell(
        new MountImage { CorrelationId = "m", ContainerId = Web.Id.Value, Holder = "anna", Image = image }, asker ?? TestActor);

    private ImageDropped Drop(IActorRef node)
    {
        node.Tell(new DropImage { CorrelationId = "d", Digest = ScriptedStoredImages.Digest('a').ToString() }, TestActor);
        return ExpectMsg<ImageDropped>();
    }

    private ImageUnmounted Unmount(IActorRef node, bool force = false)
    {
        node.Tell(new UnmountImage { CorrelationId = "u", ContainerId = Web.Id.Value, Force = force }, TestActor);
        return ExpectMsg<ImageUnmounted>(unmounted => Assert.Equal("u", unmounted.CorrelationId));
    }

    private LeasesFound Find(IActorRef node, string selector = "")
    {
        node.Tell(new FindLeases { CorrelationId = "f", Selector = selector }, TestActor);
        var found = ExpectMsg<LeasesFound>();
        Assert.Equal(("f", "node-1"), (found.CorrelationId, found.Node));
        return found;
    }

    private void StartSession(IActorRef node, string id, bool shared)
    {
        node.Tell(
            new StartSession
            {
                SessionId = id,
                RunId = "run-1",
                ContainerId = Web.Id.Value,
                Tool = new ToolDescription { Argv = { "bash", "secret" }, Shared = shared },
                Ticket = ByteString.CopyFromUtf8("ticket"),
            },
            TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));
    }

    private NodeDescribed Describe(IActorRef node)
    {
        node.Tell(new DescribeNode(), TestActor);
        return ExpectMsg<NodeDescribed>();
    }
}
