using Akka.Actor;
using Akka.TestKit;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using static Crashcart.Actors.Tests.Node.Doubles.ScriptedStoredImages;

namespace Crashcart.Actors.Tests.Node;

public sealed class MountActorSpec : NodeSpec
{
    private readonly TestProbe _parent;
    private readonly IActorRef _mounts;

    public MountActorSpec()
    {
        _parent = CreateTestProbe();
        _mounts = _parent.ChildActorOf(MountsActor.Props(Ports, Sys.ActorOf(ImagesActor.Props(Ports, TimeSpan.Zero))));
    }

    [Fact]
    public void Mounts_once_for_all_holders_and_unmounts_after_the_last()
    {
        var (first, second) = (Acquire(), Acquire());
        var mount = ExpectGrant(first);
        ExpectGrant(second);
        Assert.Equal(1, Mounts.Mounts);
        Assert.Equal(1, _parent.ExpectMsg<MountsActor.Counted>().Mounts);

        mount.Tell(Lease.Release.Instance, first);
        ExpectGrant(Acquire());
        Assert.Equal(1, Mounts.Mounted);
        Sys.Stop(second);
    }

    [Fact]
    public void Gives_mount_and_loop_device_back_when_the_last_holder_stops()
    {
        var holder = Acquire();
        ExpectGrant(holder);
        Assert.Equal(1, Images.Attached);

        Sys.Stop(holder);

        AwaitAssert(() => Assert.Equal((0, 0), (Mounts.Mounted, Images.Attached)));
        Assert.Equal(1, _parent.ExpectMsg<MountsActor.Counted>().Mounts);
        Assert.Equal(0, _parent.ExpectMsg<MountsActor.Counted>().Mounts);
    }

    [Fact]
    public void Mounts_again_after_it_has_unmounted()
    {
        var holder = Acquire();
        ExpectGrant(holder);
        Sys.Stop(holder);
        AwaitAssert(() => Assert.Equal(0, Mounts.Mounted));

        ExpectGrant(Acquire());

        Assert.Equal((2, 1), (Mounts.Mounts, Mounts.Mounted));
    }

    [Fact]
    public void Keeps_no_loop_device_when_the_container_cannot_take_the_mount()
    {
        Mounts.Refusal = new NodeException(NodeFailure.Failed, "Another image is mounted in container web.");

        Assert.Equal("Another image is mounted in container web.", Acquire().ExpectMsg<Lease.Refused>().Failure.Message);
        AwaitAssert(() => Assert.Equal(0, Images.Attached));

        Mounts.Refusal = null;
        ExpectGrant(Acquire());
    }

    [Fact]
    public void Refuses_another_image_while_one_is_mounted_and_names_both()
    {
        Stored.Put('a');
        Stored.Put('b');
        var first = Acquire(Wanted('a'));
        var mount = ExpectGrant(first);

        var sentence = Acquire(Wanted('b')).ExpectMsg<Lease.Refused>().Failure.Message;
        Assert.Contains($"Image tools:a ({Digest('a')}) is mounted at /dev/crashcart", sentence, StringComparison.Ordinal);
        Assert.Contains($"image tools:b ({Digest('b')}) cannot be", sentence, StringComparison.Ordinal);

        ExpectGrant(Acquire(Wanted('a')));
        Assert.Equal(1, Mounts.Mounts);
        mount.Tell(Lease.Release.Instance, first);
    }

    [Fact]
    public void Mounts_another_image_after_the_first_was_released()
    {
        Stored.Put('a');
        Stored.Put('b');
        var first = Acquire(Wanted('a'));
        ExpectGrant(first);
        Sys.Stop(first);
        AwaitAssert(() => Assert.Equal(0, Mounts.Mounted));

        ExpectGrant(Acquire(Wanted('b')));

        Assert.Equal((2, 1), (Mounts.Mounts, Images.Attached));
    }

    [Fact]
    public void Tells_its_holders_that_the_image_is_being_fetched()
    {
        var holder = Acquire(Wanted('a'));
        AwaitAssert(() => Assert.Equal(1, Stored.FetchesPending));
        Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("tools:a", holder.ExpectMsg<Lease.Awaited>().Image);
        Stored.CompleteFetch();
        holder.FishForMessage(message => message is Lease.Granted);
    }

    [Fact]
    public void Refuses_when_there_is_no_image()
    {
        Images.NoImage = new NodeException(NodeFailure.Failed, "There is no image.");

        Assert.Equal("There is no image.", Acquire().ExpectMsg<Lease.Refused>().Failure.Message);
    }

    [Fact]
    public void Stops_when_the_container_exits()
    {
        var holder = Acquire();
        Watch(ExpectGrant(holder));

        Targets.Exit(Web.Pid);

        ExpectMsg<Terminated>();
        AwaitAssert(() => Assert.Equal(0, Images.Attached));
        Assert.All(Targets.Opened, t => Assert.True(t.IsDisposed));
    }

    [Fact]
    public void Another_process_of_the_same_container_has_another_mount()
    {
        ExpectGrant(Acquire());
        var restarted = CreateTestProbe();
        _mounts.Tell(new MountsActor.Acquire(Web with { Pid = 101 }), restarted);

        ExpectGrant(restarted);

        Assert.Equal(2, Mounts.Mounts);
        Assert.Equal(1, Images.Attached);
    }

    private static IActorRef ExpectGrant(TestProbe holder)
    {
        holder.ExpectMsg<Lease.Granted>();
        return holder.LastSender;
    }

    private TestProbe Acquire(WantedImage? image = null)
    {
        var holder = CreateTestProbe();
        _mounts.Tell(new MountsActor.Acquire(Web, image), holder);
        return holder;
    }
}
