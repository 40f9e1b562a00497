using Akka.Actor;
using Akka.TestKit;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Protocol;
using static Crashcart.Actors.Tests.Node.Doubles.ScriptedStoredImages;

namespace Crashcart.Actors.Tests.Node;

public sealed class ImagesActorSpec : NodeSpec
{
    private readonly IActorRef _images;

    public ImagesActorSpec() => _images = Sys.ActorOf(ImagesActor.Props(Ports, TimeSpan.Zero), "images");

    [Fact]
    public void Gives_an_image_that_is_there_without_fetching()
    {
        Stored.Put('a');

        ExpectGrant(Acquire('a'));

        Assert.Equal(0, Stored.Fetches);
    }

    [Fact]
    public void Fetches_an_image_once_for_all_who_want_it_meanwhile()
    {
        var (first, second) = (Acquire('a'), Acquire('a'));
        AwaitFetch();
        var third = Acquire('a');

        Stored.CompleteFetch();

        Assert.Equal(ExpectGrant(first), ExpectGrant(second));
        ExpectGrant(third);
        Assert.Equal((1, 1), (Stored.Fetches, Images.Attachments));
    }

    [Fact]
    public void Tells_those_who_wait_how_far_the_fetch_is()
    {
        var holder = Acquire('a');
        AwaitFetch();
        Stored.Receive(45);
        Advance(TimeSpan.FromSeconds(1));

        holder.FishForMessage<Lease.Awaited>(awaited => awaited == new Lease.Awaited("tools:a", 45, 400));
    }

    [Fact]
    public void Refuses_all_who_wait_when_the_fetch_fails_and_tries_again_for_the_next()
    {
        var (first, second) = (Acquire('a'), Acquire('a'));
        AwaitFetch();
        Stored.FailFetch("No coordinator has it.");

        Assert.Equal("No coordinator has it.", ExpectRefusal(first));
        Assert.Equal("No coordinator has it.", ExpectRefusal(second));

        var third = Acquire('a');
        AwaitFetch();
        Stored.CompleteFetch();
        ExpectGrant(third);
    }

    [Fact]
    public void Serves_several_images_at_once()
    {
        Stored.Put('a');
        Stored.Put('b');

        Assert.NotEqual(ExpectGrant(Acquire('a')), ExpectGrant(Acquire('b')));
        Assert.Equal(2, Images.Attached);
    }

    [Fact]
    public void Two_images_are_fetched_at_the_same_time()
    {
        Acquire('a');
        Acquire('b');

        AwaitAssert(() => Assert.Equal(2, Stored.FetchesPending));
    }

    [Fact]
    public void Removes_what_was_not_used_for_longest_when_another_needs_room()
    {
        Stored.Put('a', lastUsed: 2);
        Stored.Put('b', lastUsed: 1);

        Acquire('c');
        AwaitFetch();

        Assert.Equal([Digest('a')], Stored.Digests);
    }

    [Fact]
    public void Never_removes_an_image_that_is_in_use()
    {
        Stored.Put('a', lastUsed: 1);
        Stored.Put('b', lastUsed: 2);
        ExpectGrant(Acquire('a'));

        Acquire('c');
        AwaitFetch();

        Assert.Equal([Digest('a')], Stored.Digests);
    }

    [Fact]
    public void Refuses_by_name_what_finds_no_room()
    {
        Stored.Put('a');
        Stored.Put('b');
        ExpectGrant(Acquire('a'));
        ExpectGrant(Acquire('b'));

        Assert.StartsWith("The image tools:c takes 1 MB, and the node has no room for it", ExpectRefusal(Acquire('c')), StringComparison.Ordinal);
        Assert.Equal(0, Stored.Fetches);
    }

    [Fact]
    public void A_fetch_under_way_takes_its_room_already()
    {
        Acquire('a', 600);
        AwaitFetch();

        Assert.Contains("no room", ExpectRefusal(Acquire('b', 600)), StringComparison.Ordinal);

        Stored.FailFetch("It broke.");
        AwaitAssert(() =>
        {
            Acquire('b', 600);
            AwaitFetch();
        });
    }

    [Fact]
    public void Drops_an_image_that_nobody_uses()
    {
        Stored.Put('a');

        Assert.Equal(new ImageDropped { CorrelationId = "q" }, Drop('a'));
        Assert.Empty(Stored.Digests);
    }

    [Fact]
    public void Keeps_an_image_that_is_in_use_until_its_last_use_ends_and_says_who_uses_it()
    {
        Stored.Put('a');
        var (first, second) = (Acquire('a'), Acquire('a'));
        ExpectGrant(first);
        ExpectGrant(second);

        Assert.Equal(new[] { first.Ref.Path.Name, second.Ref.Path.Name }.Order(StringComparer.Ordinal), Drop('a').Users);
        Sys.Stop(first);
        AwaitAssert(() => Assert.Equal([second.Ref.Path.Name], Describe().Images[^1].Users));
        Assert.Single(Stored.Digests);
        Sys.Stop(second);

        AwaitAssert(() => Assert.Empty(Stored.Digests));
    }

    [Fact]
    public void Drops_an_image_that_lingers_as_soon_as_its_device_is_free()
    {
        Linger(TimeSpan.FromSeconds(30));
        Use('a');
        Assert.Equal(1, Images.Attached);

        Assert.Equal(new ImageDropped { CorrelationId = "q" }, Drop('a'));

        Assert.Equal(0, Images.Attached);
        Assert.Empty(Stored.Digests);
    }

    [Fact]
    public void An_image_that_was_dropped_in_use_does_not_linger_after_its_last_use()
    {
        Linger(TimeSpan.FromSeconds(30));
        Stored.Put('a');
        var holder = Acquire('a');
        ExpectGrant(holder);
        Assert.NotEmpty(Drop('a').Users);

        Sys.Stop(holder);

        AwaitAssert(() => Assert.Empty(Stored.Digests));
        Assert.Equal(0, Images.Attached);
    }

    [Fact]
    public void An_image_that_lingers_makes_room_for_another()
    {
        Linger(TimeSpan.FromSeconds(30));
        Use('a');
        Stored.Put('b');

        Acquire('c');
        AwaitFetch();

        Assert.Equal([Digest('b')], Stored.Digests);
        Assert.Equal(0, Images.Attached);
    }

    [Fact]
    public void Tells_the_loop_device_of_an_image_that_nobody_uses_and_that_lingers()
    {
        Linger(TimeSpan.FromSeconds(30));
        Use('a');

        Assert.Equal(new HeldImage { Digest = Digest('a').ToString(), Size = 400, LoopDevice = "/dev/loop7" }, Describe().Images[^1]);
    }

    [Fact]
    public void Nothing_lingers_any_more_when_it_is_told_so()
    {
        Linger(TimeSpan.FromSeconds(30));
        Use('a');
        var own = CreateTestProbe();
        _images.Tell(new ImagesActor.Acquire(null), own);
        ExpectGrant(own);
        Sys.Stop(own);
        AwaitAssert(() => Assert.Empty(Describe().Images[0].Users));
        Assert.Equal(2, Images.Attached);

        Linger(TimeSpan.Zero);

        AwaitAssert(() => Assert.Equal(0, Images.Attached));
    }

    [Fact]
    public void An_image_that_is_wanted_again_is_not_dropped()
    {
        Stored.Put('a');
        var first = Acquire('a');
        ExpectGrant(first);
        Assert.NotEmpty(Drop('a').Users);
        var second = Acquire('a');
        ExpectGrant(second);
        Sys.Stop(first);
        Sys.Stop(second);

        AwaitAssert(() => Assert.Equal(0, Images.Attached));
        AwaitAssert(() => Assert.Empty(Describe().Images[^1].Users));
        Assert.Single(Stored.Digests);
    }

    [Fact]
    public void An_image_that_is_being_fetched_is_not_dropped()
    {
        var holder = Acquire('a');
        AwaitFetch();

        Assert.Equal([holder.Ref.Path.Name], Drop('a').Users);
    }

    [Fact]
    public void A_fetch_that_nobody_waits_for_any_more_stops_and_begins_again_for_the_next()
    {
        var (first, second) = (Acquire('a'), Acquire('a'));
        AwaitFetch();
        Sys.Stop(first);
        Sys.Stop(second);
        AwaitAssert(() => Assert.Equal(0, Stored.FetchesPending));

        Stored.Forget();
        var third = Acquire('a');
        AwaitFetch();
        Stored.CompleteFetch();

        ExpectGrant(third);
        Assert.Equal(2, Stored.Fetches);
    }

    [Fact]
    public void A_fetch_goes_on_as_long_as_somebody_waits()
    {
        var (first, second) = (Acquire('a'), Acquire('a'));
        AwaitFetch();
        Sys.Stop(first);

        Stored.CompleteFetch();

        ExpectGrant(second);
        Assert.Equal(1, Stored.Fetches);
    }

    [Fact]
    public void An_image_that_was_to_be_dropped_while_it_was_fetched_goes_after_its_use()
    {
        var holder = Acquire('a');
        AwaitFetch();
        Assert.NotEmpty(Drop('a').Users);
        Stored.CompleteFetch();
        ExpectGrant(holder);
        Assert.Single(Stored.Digests);

        Sys.Stop(holder);

        AwaitAssert(() => Assert.Empty(Stored.Digests));
    }

    [Fact]
    public void An_image_that_something_else_on_the_host_uses_goes_when_that_is_over()
    {
        Stored.Put('a');
        Stored.AreUsedElsewhere = true;
        Assert.Equal(["something else on the host"], Drop('a').Users);
        Advance(StoredImageActor.RemovalInterval);
        Assert.Single(Stored.Digests);

        Stored.AreUsedElsewhere = false;

        AwaitAssert(() =>
        {
            Advance(StoredImageActor.RemovalInterval);
            Assert.Empty(Stored.Digests);
        });
    }

    [Fact]
    public void An_image_that_people_have_mounted_is_neither_dropped_nor_removed_for_another()
    {
        Stored.Put('a', lastUsed: 1);
        Stored.Put('b', lastUsed: 2);
        _images.Tell(new ImagesActor.LeasedByPeople([(Digest('a').ToString(), new LeaseId("lease-1"))]));

        Assert.Equal(["lease-1"], Drop('a').Users);
        Acquire('c');
        AwaitFetch();
        Assert.Equal([Digest('a')], Stored.Digests);

        _images.Tell(new ImagesActor.LeasedByPeople([]));
        AwaitAssert(() => Assert.Empty(Stored.Digests));
    }

    [Fact]
    public void Names_what_the_node_has()
    {
        Stored.Put('b');
        Stored.Put('a', size: 7);

        AwaitAssert(() => Assert.Equal(
            [
                new HeldImage { Digest = "sha256:image-1", Size = 1000, Own = true },
                new HeldImage { Digest = Digest('a').ToString(), Size = 7 },
                new HeldImage { Digest = Digest('b').ToString(), Size = 400 },
            ],
            Describe().Images));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha256:ab")]
    [InlineData("sha256:../../../etc/passwd")]
    public void Refuses_what_is_no_digest(string digest)
    {
        var holder = CreateTestProbe();
        _images.Tell(new ImagesActor.Acquire(new WantedImage { Digest = digest, Name = "tools" }), holder);

        Assert.Contains("is no digest", ExpectRefusal(holder), StringComparison.Ordinal);
        _images.Tell(new DropImage { Digest = digest }, TestActor);
        Assert.Contains("is no digest", ExpectMsg<ImageDropped>().Problem, StringComparison.Ordinal);
    }

    private static IActorRef ExpectGrant(TestProbe holder)
    {
        holder.FishForMessage(message => message is Lease.Granted);
        holder.Reply(new Lease.UsedIn(Web.Id, Web.Pid));
        return holder.LastSender;
    }

    private static string ExpectRefusal(TestProbe holder) =>
        ((Lease.Refused)holder.FishForMessage(message => message is Lease.Refused)).Failure.Message;

    private TestProbe Acquire(char digit, long size = 400)
    {
        var holder = CreateTestProbe();
        _images.Tell(new ImagesActor.Acquire(Wanted(digit, size)), holder);
        return holder;
    }

    /// <summary>Somebody has used the image.</summary>
    private void Use(char digit)
    {
        Stored.Put(digit);
        var holder = Acquire(digit);
        ExpectGrant(holder);
        Sys.Stop(holder);
        AwaitAssert(() => Assert.Empty(Describe().Images[^1].Users));
    }

    private void Linger(TimeSpan time) => _images.Tell(new LoopDeviceActor.Linger(time));

    private void AwaitFetch() => AwaitAssert(() => Assert.Equal(1, Stored.FetchesPending));

    private ImageDropped Drop(char digit)
    {
        _images.Tell(new DropImage { CorrelationId = "q", Digest = Digest(digit).ToString() }, TestActor);
        return ExpectMsg<ImageDropped>();
    }

    private NodeDescribed Describe()
    {
        _images.Tell(new ImagesActor.Describe(new NodeDescribed(), TestActor));
        return ExpectMsg<NodeDescribed>();
    }
}
