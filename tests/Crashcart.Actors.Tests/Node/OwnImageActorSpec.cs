using Akka.Actor;
using Akka.TestKit;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;

namespace Crashcart.Actors.Tests.Node;

public sealed class OwnImageActorSpec : NodeSpec
{
    private readonly TestProbe _parent;

    public OwnImageActorSpec() => _parent = CreateTestProbe();

    [Fact]
    public void Tells_the_digest_of_the_image()
    {
        Start();

        Assert.Equal(new OwnImageActor.Known("/crashcart.img", "", 1000), NextKnown());
        Assert.Equal(new OwnImageActor.Known("/crashcart.img", "sha256:image-1", 1000), NextKnown());
    }

    [Fact]
    public void Gives_each_new_session_the_image_file_as_it_is_then()
    {
        var images = Start();
        var first = Acquire(images);
        var device = ExpectGrant(first);

        Images.Key = "image-2";
        var second = Acquire(images);

        Assert.NotEqual(device, ExpectGrant(second));
        _parent.FishForMessage<OwnImageActor.Known>(known => known.Digest == "sha256:image-2");
        Assert.Equal(2, Images.Attached);

        device.Tell(Lease.Release.Instance, first);
        AwaitAssert(() => Assert.Equal(1, Images.Attached));
    }

    [Fact]
    public void Refuses_when_there_is_no_image_and_finds_one_that_comes_later()
    {
        Images.NoImage = new NodeException(NodeFailure.NoImage, "There is no image at /crashcart.img.");
        var images = Start();

        Assert.Null(NextKnown().Path);
        Assert.Equal("There is no image at /crashcart.img.", Acquire(images).ExpectMsg<Lease.Refused>().Failure.Message);

        Images.NoImage = null;
        ExpectGrant(Acquire(images));
    }

    [Fact]
    public void Passes_on_who_wants_an_image_of_the_fleet_s()
    {
        var images = Start();
        var holder = Acquire(images, ScriptedStoredImages.Wanted('a'));

        Assert.Equal(holder.Ref, ExpectPassedOn().Holder);
    }

    [Fact]
    public void Serves_who_wants_the_image_of_its_own_digest()
    {
        var images = Start();
        _parent.FishForMessage<OwnImageActor.Known>(known => known.Digest.Length > 0);

        ExpectGrant(Acquire(images, new WantedImage { Digest = "sha256:image-1" }));
    }

    [Fact]
    public void Comes_first_for_who_takes_an_image_of_the_fleet_s_only_without_it()
    {
        var wanted = ScriptedStoredImages.Wanted('a');
        wanted.OnlyWithoutOwn = true;
        var images = Start();
        ExpectGrant(Acquire(images, wanted));

        Images.NoImage = new NodeException(NodeFailure.NoImage, "There is no image.");
        Acquire(images, wanted);

        ExpectPassedOn();
    }

    [Fact]
    public void A_damaged_file_is_told_of_and_not_passed_over()
    {
        Images.NoImage = new NodeException(NodeFailure.Failed, "The image '/crashcart.img' is cut off.");
        var wanted = ScriptedStoredImages.Wanted('a');
        wanted.OnlyWithoutOwn = true;

        Assert.Equal("The image '/crashcart.img' is cut off.", Acquire(Start(), wanted).ExpectMsg<Lease.Refused>().Failure.Message);
    }

    private static IActorRef ExpectGrant(TestProbe holder)
    {
        holder.ExpectMsg<Lease.Granted>();
        return holder.LastSender;
    }

    private IActorRef Start() => _parent.ChildActorOf(OwnImageActor.Props(Images, TimeSpan.Zero));

    private OwnImageActor.Known NextKnown() => (OwnImageActor.Known)_parent.FishForMessage(message => message is OwnImageActor.Known);

    private ImagesActor.AcquireStored ExpectPassedOn() =>
        (ImagesActor.AcquireStored)_parent.FishForMessage(message => message is ImagesActor.AcquireStored);

    private TestProbe Acquire(IActorRef images, WantedImage? image = null)
    {
        var holder = CreateTestProbe();
        images.Tell(new ImagesActor.Acquire(image), holder);
        return holder;
    }
}
