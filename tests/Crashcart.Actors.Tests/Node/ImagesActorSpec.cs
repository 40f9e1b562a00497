using Akka.Actor;
using Akka.TestKit;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node;

public sealed class ImagesActorSpec : NodeSpec
{
    [Fact]
    public void Tells_the_digest_of_the_image()
    {
        var parent = CreateTestProbe();
        parent.ChildActorOf(ImagesActor.Props(Images));

        Assert.Equal("sha256:image-1", parent.ExpectMsg<ImagesActor.Known>().Digest);
    }

    [Fact]
    public void Gives_each_new_session_the_image_file_as_it_is_then()
    {
        var parent = CreateTestProbe();
        var images = parent.ChildActorOf(ImagesActor.Props(Images));
        parent.ExpectMsg<ImagesActor.Known>();
        var first = Acquire(images);
        var device = ExpectGrant(first);

        Images.Key = "image-2";
        var second = Acquire(images);

        Assert.NotEqual(device, ExpectGrant(second));
        Assert.Equal("sha256:image-2", parent.ExpectMsg<ImagesActor.Known>().Digest);
        Assert.Equal(2, Images.Attached);

        device.Tell(Lease.Release.Instance, first);
        AwaitAssert(() => Assert.Equal(1, Images.Attached));
    }

    [Fact]
    public void Refuses_when_there_is_no_image_and_finds_one_that_comes_later()
    {
        Images.NoImage = new NodeException(NodeFailure.Failed, "There is no image at /crashcart.img.");
        var parent = CreateTestProbe();
        var images = parent.ChildActorOf(ImagesActor.Props(Images));

        Assert.Equal("", parent.ExpectMsg<ImagesActor.Known>().Digest);
        Assert.Equal("There is no image at /crashcart.img.", Acquire(images).ExpectMsg<Lease.Refused>().Failure.Message);

        Images.NoImage = null;
        ExpectGrant(Acquire(images));
    }

    private static IActorRef ExpectGrant(TestProbe holder)
    {
        holder.ExpectMsg<Lease.Granted>();
        return holder.LastSender;
    }

    private TestProbe Acquire(IActorRef images)
    {
        var holder = CreateTestProbe();
        images.Tell(Lease.Acquire.Instance, holder);
        return holder;
    }
}
