using Akka.Actor;
using Akka.TestKit;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Tests.Node.Doubles;

namespace Crashcart.Actors.Tests.Node;

public sealed class LoopDeviceActorSpec : NodeSpec
{
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(30);

    private readonly ScriptedImages _images = new();
    private readonly IActorRef _device;

    public LoopDeviceActorSpec() =>
        _device = Sys.ActorOf(LoopDeviceActor.Props(_images, new ImageFile("/crashcart.img", "image-1"), TimeSpan.Zero));

    [Fact]
    public void Attaches_once_for_all_that_acquire_meanwhile()
    {
        var (first, second) = (Acquire(), Acquire());
        AwaitAssert(() => Assert.Equal(1, _images.AttachesPending));
        first.ExpectNoMsg(TimeSpan.Zero);

        _images.CompleteAttach();

        Assert.Equal("/dev/loop7", first.ExpectMsg<Lease.Granted>().Image.LoopDevice);
        second.ExpectMsg<Lease.Granted>();
        Acquire().ExpectMsg<Lease.Granted>();
        Assert.Equal(1, _images.Attachments);
    }

    [Fact]
    public void Detaches_when_the_last_holder_releases()
    {
        var (first, second) = (Acquire(), Acquire());
        CompleteAttach();

        _device.Tell(Lease.Release.Instance, first);
        _device.Tell(Lease.Release.Instance, first);
        second.ExpectMsg<Lease.Granted>();
        Assert.Equal(0, _images.DetachesPending);

        _device.Tell(Lease.Release.Instance, second);
        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
    }

    [Fact]
    public void Detaches_after_the_last_holder_stops()
    {
        var holder = Acquire();
        CompleteAttach();
        holder.ExpectMsg<Lease.Granted>();

        Sys.Stop(holder);

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
    }

    [Fact]
    public void Detaches_at_once_when_all_left_while_it_attached()
    {
        var holder = Acquire();
        AwaitAssert(() => Assert.Equal(1, _images.AttachesPending));
        _device.Tell(Lease.Release.Instance, holder);

        CompleteAttach();

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
        holder.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Attaches_again_for_one_who_came_while_it_detached()
    {
        var first = Acquire();
        CompleteAttach();
        first.ExpectMsg<Lease.Granted>();
        _device.Tell(Lease.Release.Instance, first);
        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));

        var second = Acquire();
        _images.CompleteDetach();
        CompleteAttach();

        second.ExpectMsg<Lease.Granted>();
        Assert.Equal(1, _images.Attached);
    }

    [Fact]
    public void Refuses_every_holder_when_it_cannot_attach_and_tries_again_for_the_next()
    {
        var (first, second) = (Acquire(), Acquire());
        AwaitAssert(() => Assert.Equal(1, _images.AttachesPending));
        _images.FailAttach("No loop device.");

        Assert.Equal("No loop device.", first.ExpectMsg<Lease.Refused>().Failure.Message);
        Assert.Equal(125, second.ExpectMsg<Lease.Refused>().Failure.ExitCode);

        var third = Acquire();
        CompleteAttach();
        third.ExpectMsg<Lease.Granted>();
    }

    [Fact]
    public void Stops_once_it_is_retired_and_nobody_holds_it()
    {
        var holder = Acquire();
        CompleteAttach();
        holder.ExpectMsg<Lease.Granted>();
        Watch(_device);

        _device.Tell(LoopDeviceActor.Retire.Instance);
        ExpectNoMsg(TimeSpan.Zero);
        _device.Tell(Lease.Release.Instance, holder);
        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
        _images.CompleteDetach();

        ExpectTerminated(_device);
    }

    [Fact]
    public void Releases_the_device_when_it_is_stopped_itself()
    {
        Acquire();
        CompleteAttach();

        Sys.Stop(_device);

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
    }

    [Fact]
    public void Lingers_for_a_while_after_the_last_holder_and_then_detaches()
    {
        var parent = CreateTestProbe();
        var device = Lingering(parent);
        Advance(Linger - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, _images.DetachesPending);

        Advance(TimeSpan.FromMilliseconds(1));

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
        _images.CompleteDetach();
        Assert.Equal(("", false), State(parent));
        Acquire(device);
        CompleteAttach();
    }

    [Fact]
    public void Grants_at_once_while_it_lingers_and_begins_to_linger_anew_after_that()
    {
        var parent = CreateTestProbe();
        var device = Lingering(parent);
        Advance(Linger / 2);

        var holder = Acquire(device);
        holder.ExpectMsg<Lease.Granted>();
        Assert.Equal(("/dev/loop7", false), State(parent));
        Advance(Linger * 2);
        device.Tell(Lease.Release.Instance, holder);
        Assert.Equal(("/dev/loop7", true), State(parent));
        Advance(Linger / 2);

        Assert.Equal((1, 0), (_images.Attachments, _images.DetachesPending));
    }

    [Theory]
    [InlineData("let go")]
    [InlineData("retire")]
    [InlineData("linger no more")]
    public void Detaches_at_once_when_nothing_is_to_be_waited_for(string why)
    {
        var parent = CreateTestProbe();
        var device = Lingering(parent);

        device.Tell(why switch
        {
            "let go" => LoopDeviceActor.LetGo.Instance,
            "retire" => LoopDeviceActor.Retire.Instance,
            _ => new LoopDeviceActor.Linger(TimeSpan.Zero),
        });

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
        _images.CompleteDetach();
        Assert.Equal(("", false), State(parent));
    }

    [Fact]
    public void Lingers_only_as_long_as_a_container_runs_in_which_it_was_used()
    {
        var parent = CreateTestProbe();
        var device = Lingering(parent);
        var holder = Acquire(device);
        holder.ExpectMsg<Lease.Granted>();
        device.Tell(new Lease.UsedIn(new ContainerId("db"), 200), holder);
        Assert.Equal(("/dev/loop7", false), State(parent));
        device.Tell(Lease.Release.Instance, holder);
        Assert.Equal(("/dev/loop7", true), State(parent));

        device.Tell(new ContainersActor.Ended(new ContainerId("db"), 200));
        device.Tell(new ContainersActor.Ended(new ContainerId("other"), 300));
        device.Tell(new ContainersActor.Ended(Web.Id, Web.Pid + 1));
        Assert.Equal(0, _images.DetachesPending);
        device.Tell(new ContainersActor.Ended(Web.Id, Web.Pid));

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
        _images.CompleteDetach();
        Assert.Equal(("", false), State(parent));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Does_not_linger_when_its_containers_have_ended_or_it_was_used_in_none(bool used)
    {
        var device = Sys.ActorOf(LoopDeviceActor.Props(_images, new ImageFile("/crashcart.img", "image-1"), Linger));
        var holder = Acquire(device);
        CompleteAttach();
        holder.ExpectMsg<Lease.Granted>();
        if (used)
            device.Tell(new Lease.UsedIn(Web.Id, Web.Pid), holder);
        device.Tell(new ContainersActor.Ended(Web.Id, Web.Pid));
        Assert.Equal(0, _images.DetachesPending);

        device.Tell(Lease.Release.Instance, holder);

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
    }

    [Fact]
    public void Releases_the_device_when_it_is_stopped_while_it_lingers()
    {
        Sys.Stop(Lingering(CreateTestProbe()));

        AwaitAssert(() => Assert.Equal(1, _images.DetachesPending));
    }

    private static (string LoopDevice, bool Lingers) State(TestProbe parent)
    {
        var held = parent.ExpectMsg<LoopDeviceActor.Held>();
        return (held.LoopDevice, held.Lingers);
    }

    /// <summary>An owner that had a holder.</summary>
    private IActorRef Lingering(TestProbe parent)
    {
        var device = parent.ChildActorOf(LoopDeviceActor.Props(_images, new ImageFile("/crashcart.img", "image-1"), Linger));
        var holder = Acquire(device);
        CompleteAttach();
        holder.ExpectMsg<Lease.Granted>();
        Assert.Equal(("", false), State(parent));
        Assert.Equal(("/dev/loop7", false), State(parent));
        device.Tell(new Lease.UsedIn(Web.Id, Web.Pid), holder);
        device.Tell(Lease.Release.Instance, holder);
        Assert.Equal(("/dev/loop7", true), State(parent));
        return device;
    }

    private TestProbe Acquire(IActorRef device)
    {
        var holder = CreateTestProbe();
        device.Tell(Lease.Acquire.Instance, holder);
        return holder;
    }

    private TestProbe Acquire()
    {
        var holder = CreateTestProbe();
        _device.Tell(Lease.Acquire.Instance, holder);
        return holder;
    }

    private void CompleteAttach()
    {
        AwaitAssert(() => Assert.Equal(1, _images.AttachesPending));
        _images.CompleteAttach();
    }
}
