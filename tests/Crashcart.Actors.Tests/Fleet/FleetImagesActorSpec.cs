using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class FleetImagesActorSpec : FleetSpec
{
    private readonly IActorRef _images;
    private readonly ShelfDouble _shelf = new();

    public FleetImagesActorSpec() => _images = Sys.ActorOf(FleetImagesActor.Props(_shelf), FleetImagesActor.Name);

    [Fact]
    public void A_coordinator_asks_itself_too()
    {
        Find("toolbox:1");

        var answers = ExpectMsg<FleetImagesActor.Answers>();

        Assert.Equal("of toolbox:1", ((ImagesFound)answers.All[Self.Address]).Images.Single().Digest);
        Assert.Empty(answers.Silent);
    }

    [Fact]
    public void A_disk_that_fails_is_told_of()
    {
        _shelf.Problem = "The disk is gone.";
        Find("toolbox:1");

        Assert.Equal("The disk is gone.", ((ImagesFound)ExpectMsg<FleetImagesActor.Answers>().All[Self.Address]).Problem);
    }

    [Fact]
    public void A_coordinator_that_is_unreachable_is_told_of_and_not_waited_for()
    {
        Member other = Stranger("10.0.0.2", ClusterSettings.CoordinatorRole);
        _images.Tell(new ClusterEvent.UnreachableMember(other));
        Find("toolbox:1");

        var answers = ExpectMsg<FleetImagesActor.Answers>();

        Assert.Equal([Self.Address], answers.All.Keys);
        Assert.Equal([new SilentNode(FleetImagesActor.NameOf(other.Address), "The coordinator is unreachable.")], answers.Silent);
    }

    [Fact]
    public void A_coordinator_that_is_thought_unreachable_is_asked_when_the_asker_wants_that()
    {
        Member other = Stranger("10.0.0.2", ClusterSettings.CoordinatorRole);
        _images.Tell(new ClusterEvent.UnreachableMember(other));
        _images.Tell(new FleetImagesActor.AskCoordinators(id => new FindImages { CorrelationId = id }, TryUnreachable: true));
        _shelf.IsAsked.Wait();

        Advance(TimeSpan.FromSeconds(5));

        Assert.Contains(
            new SilentNode(FleetImagesActor.NameOf(other.Address), "It did not answer within 5 s."), ExpectMsg<FleetImagesActor.Answers>().Silent);
    }

    [Fact]
    public void A_coordinator_that_is_still_joining_is_told_of_and_not_waited_for()
    {
        Member other = Newcomer("10.0.0.2", ClusterSettings.CoordinatorRole);
        _images.Tell(new ClusterEvent.MemberJoined(other));
        Find("toolbox:1");

        var answers = ExpectMsg<FleetImagesActor.Answers>();

        Assert.Equal([Self.Address], answers.All.Keys);
        Assert.Equal([new SilentNode(FleetImagesActor.NameOf(other.Address), "The coordinator is joining.")], answers.Silent);
    }

    [Fact]
    public void A_member_that_is_no_coordinator_is_not_asked()
    {
        _images.Tell(new ClusterEvent.MemberUp(Stranger("10.0.0.2", ClusterSettings.NodeRole)));
        Find("toolbox:1");

        Assert.Equal([Self.Address], ExpectMsg<FleetImagesActor.Answers>().All.Keys);
    }

    private void Find(string reference) =>
        _images.Tell(new FleetImagesActor.AskCoordinators(id => new FindImages { CorrelationId = id, Reference = reference }));

    private sealed class ShelfDouble : IImageShelf
    {
        public string Problem { get; set; } = "";

        public ManualResetEventSlim IsAsked { get; } = new();

        public Task<ImagesFound> FindAsync(string reference)
        {
            IsAsked.Set();
            return Problem.Length > 0
                ? Task.FromException<ImagesFound>(new IOException(Problem))
                : Task.FromResult(new ImagesFound { Images = { new ImageBlob { Digest = $"of {reference}" } } });
        }

        public Task<ImageNameRecorded> RecordAsync(ImageNameRecord? record) => Task.FromResult(new ImageNameRecorded());

        public Task<ImageDropped> DropAsync(string digest) => Task.FromResult(new ImageDropped());
    }
}
