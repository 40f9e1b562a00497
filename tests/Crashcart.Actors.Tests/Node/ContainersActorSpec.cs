using Akka.Actor;
using Akka.TestKit;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Node;

public sealed class ContainersActorSpec : NodeSpec
{
    private static readonly ByteString Ticket = ByteString.CopyFromUtf8("ticket");

    private readonly TestProbe _parent;

    public ContainersActorSpec() => _parent = CreateTestProbe();

    [Fact]
    public void Lists_what_runs()
    {
        Runtime.Run(Web);
        Start();

        var container = Assert.Single(Find().Containers);

        Assert.Equal(Web.Describe(), container);
    }

    [Fact]
    public void Answers_a_selector()
    {
        Runtime.Run(Web);
        Runtime.Run(Container("db", 200, ("app", "db")));
        Start();

        Assert.Equal("web", Assert.Single(Find("app=web").Containers).Name);
        Assert.Equal("db", Assert.Single(Find("app!=web").Containers).Name);
    }

    [Fact]
    public void Says_what_is_wrong_with_a_malformed_selector()
    {
        Start();

        Assert.NotEmpty(Find("app in (").Problem);
    }

    [Fact]
    public void Sees_containers_start_and_stop()
    {
        Start();
        Assert.Empty(Find().Containers);

        Runtime.Run(Web);
        AwaitAssert(() => Assert.Single(Find().Containers));

        Runtime.Stop(Web.Id);
        AwaitAssert(() => Assert.Empty(Find().Containers));
    }

    [Fact]
    public void Sees_containers_start_and_stop_although_the_runtime_has_gone_silent()
    {
        Start();
        AwaitAssert(() => Assert.True(Runtime.IsWatched));

        Runtime.Run(Web, tell: false);
        AwaitAssert(() =>
        {
            Advance(TimeSpan.FromSeconds(10));
            Assert.Single(Find().Containers);
        });

        Runtime.Stop(Web.Id, tell: false);
        AwaitAssert(() =>
        {
            Advance(TimeSpan.FromSeconds(10));
            Assert.Empty(Find().Containers);
        });
        Assert.Equal(1, Runtime.Snapshots);
    }

    [Fact]
    public void Answers_only_when_it_knows_what_an_event_was_about()
    {
        Start();
        Find();
        Runtime.HoldsInspections = true;
        Runtime.Run(Web);
        AwaitAssert(() => Assert.Equal(1, Runtime.InspectionsHeld));
        Ask();
        ExpectNoMsg(TimeSpan.Zero);

        Runtime.AnswerInspections();

        AwaitAssert(() => Assert.Single(Find().Containers));
    }

    [Fact]
    public void Does_not_wait_for_ever_for_a_runtime_that_hangs()
    {
        Start();
        Find();
        Runtime.HoldsInspections = true;
        Runtime.Run(Web);
        AwaitAssert(() => Assert.Equal(1, Runtime.InspectionsHeld));
        Ask();

        AwaitAssert(() =>
        {
            Advance(TimeSpan.FromSeconds(1));
            ExpectMsg<ContainersFound>(TimeSpan.FromMilliseconds(50));
        });
    }

    [Fact]
    public void Drops_a_container_when_the_kernel_says_that_its_process_is_gone()
    {
        Runtime.Run(Web);
        Start();
        Assert.Single(Find().Containers);
        AwaitAssert(() => Assert.Single(Targets.Opened));

        Targets.Exit(Web.Pid);

        AwaitAssert(() => Assert.Empty(Find().Containers));
    }

    [Fact]
    public void Does_not_list_a_container_whose_process_is_gone_already()
    {
        Targets.Exit(Web.Pid);
        Runtime.Run(Web);
        Start();

        AwaitAssert(() => Assert.Empty(Find().Containers));
    }

    [Fact]
    public void Watches_the_new_process_of_a_restarted_container()
    {
        Runtime.Run(Web);
        Start();
        Find();
        AwaitAssert(() => Assert.Single(Targets.Opened));

        Runtime.Run(Web with { Pid = 101 });
        AwaitAssert(() => Assert.Equal(2, Targets.Opened.Count()));
        Targets.Exit(100);
        Assert.Single(Find().Containers);

        Targets.Exit(101);
        AwaitAssert(() => Assert.Empty(Find().Containers));
    }

    [Theory]
    [InlineData("exits")]
    [InlineData("vanishes")]
    [InlineData("is restarted")]
    public void Tells_its_parent_once_which_process_has_ended(string how)
    {
        Runtime.Run(Web);
        Start();
        Find();
        AwaitAssert(() => Assert.Single(Targets.Opened));

        if (how == "exits")
            Targets.Exit(Web.Pid);
        else if (how == "vanishes")
            Runtime.Stop(Web.Id);
        else
            Runtime.Run(Web with { Pid = Web.Pid + 1 });

        _parent.FishForMessage(message => message.Equals(new ContainersActor.Ended(Web.Id, Web.Pid)));
        Targets.Exit(Web.Pid);
        Runtime.Stop(Web.Id);
        AwaitAssert(() => Assert.Empty(Find().Containers));
        Assert.DoesNotContain(new ContainersActor.Ended(Web.Id, Web.Pid), _parent.ReceiveWhile(TimeSpan.Zero, object (message) => message));
    }

    [Fact]
    public void Tells_the_problem_of_a_runtime_that_is_away_and_finds_it_again()
    {
        Runtime.Problem = "Docker does not answer.";
        Runtime.Run(Web);
        var containers = Start();
        Assert.Equal("Docker does not answer.", Find().Problem);

        Runtime.Problem = null;
        AwaitAssert(() =>
        {
            Advance(TimeSpan.FromSeconds(1));
            containers.Tell(new FindContainers(), TestActor);
            Assert.Equal("", ExpectMsg<ContainersFound>().Problem);
        });
        Assert.Single(Find().Containers);
    }

    [Fact]
    public void Lists_everything_anew_after_a_gap_in_the_events()
    {
        Runtime.Run(Web);
        Start();
        Assert.Single(Find().Containers);

        Runtime.Run(Container("db", 200), tell: false);
        Runtime.Stop(Web.Id, tell: false);
        Runtime.Disconnect();
        AwaitAssert(() => Assert.Contains("closed its event stream", Find().Problem));
        Assert.Equal("web", Assert.Single(Find().Containers).Name);

        AwaitAssert(() =>
        {
            Advance(TimeSpan.FromMilliseconds(200));
            Assert.Equal("db", Assert.Single(Find().Containers).Name);
        });
        Assert.Equal(2, Runtime.Snapshots);
    }

    [Fact]
    public void Tells_its_parent_how_many_containers_run()
    {
        Runtime.Run(Web);
        Start();

        Assert.Equal("docker has not answered yet.", Assert.Single(_parent.ExpectMsg<ContainersActor.Counted>().Runtimes).Problem);
        var counted = _parent.ExpectMsg<ContainersActor.Counted>();

        Assert.Equal(1, counted.Containers);
        Assert.Equal("20.10", Assert.Single(counted.Runtimes).Version);
    }

    [Fact]
    public void Locates_one_container()
    {
        Runtime.Run(Web);
        var containers = Start();

        containers.Tell(new ContainersActor.Locate(Web.Id), TestActor);
        Assert.Equal(Web.Pid, ExpectMsg<ContainersActor.Located>().Container.Pid);

        containers.Tell(new ContainersActor.Locate(new ContainerId(new string('0', 64))), TestActor);
        ExpectMsg<ContainersActor.Missing>();
    }

    [Theory]
    [InlineData("web*", "", "", true)]
    [InlineData("*b", "", "", true)]
    [InlineData("db*", "", "", false)]
    [InlineData("", "IMAGE", "", true)]
    [InlineData("", "*:none", "", false)]
    [InlineData("", "", "RUNTIME", true)]
    [InlineData("", "", "podman", false)]
    [InlineData("web*", "*:none", "", false)]
    public void Containers_are_found_by_name_image_and_runtime(string name, string image, string runtime, bool isFound)
    {
        Runtime.Run(Web);
        Start();

        _containers.Tell(
            new FindContainers
            {
                Name = name,
                Image = image == "IMAGE" ? Web.Image : image,
                Runtime = runtime == "RUNTIME" ? Web.Runtime : runtime,
            },
            TestActor);

        Assert.Equal(isFound, ExpectMsg<ContainersFound>().Containers.Count == 1);
    }

    [Fact]
    public void Tells_what_containers_are_looked_for_by_and_every_change()
    {
        Start();
        Find();
        Assert.Empty(Index().Fingerprints);

        Runtime.Run(Web);
        Assert.Null(ExpectMsg<ContainersIndexed>().Index);
        Assert.Equal(Fingerprint.Of(Web).Order(), ExpectMsg<ContainersIndexed>().Index.Fingerprints);

        Runtime.Stop(Web.Id);
        FishForMessage<ContainersIndexed>(told => told.Index is { Fingerprints.Count: 0 });
    }

    [Fact]
    public void Tells_no_index_while_a_runtime_does_not_answer()
    {
        Runtime.Problem = "Docker is gone.";
        Start();

        _containers.Tell(new IndexContainers { Ticket = Ticket }, TestActor);

        Assert.Equal(new ContainersIndexed { Ticket = Ticket }, ExpectMsg<ContainersIndexed>());
    }

    [Fact]
    public void Tells_no_changes_to_who_does_not_ask_any_more()
    {
        Start();
        Find();
        Index();
        Advance(TimeSpan.FromSeconds(30));
        var other = CreateTestProbe();
        _containers.Tell(new IndexContainers { Ticket = Ticket }, other);
        other.ExpectMsg<ContainersIndexed>();

        Runtime.Run(Web);

        other.FishForMessage<ContainersIndexed>(told => told.Index is { Fingerprints.Count: > 0 });
        ExpectNoMsg(TimeSpan.Zero);
    }

    private ContainerIndex Index()
    {
        _containers.Tell(new IndexContainers { Ticket = Ticket }, TestActor);
        var told = ExpectMsg<ContainersIndexed>();
        Assert.Equal(Ticket, told.Ticket);
        return told.Index;
    }

    private IActorRef Start()
    {
        _containers = _parent.ChildActorOf(ContainersActor.Props("node-1", Ports));
        AwaitAssert(() => Assert.True(Runtime.IsWatched || Runtime.Problem is not null));
        return _containers;
    }

    private void Ask(string selector = "") =>
        _containers.Tell(new FindContainers { CorrelationId = "c", Selector = selector }, TestActor);

    private ContainersFound Find(string selector = "")
    {
        Ask(selector);
        return ExpectMsg<ContainersFound>(found => found is { CorrelationId: "c", Node: "node-1" });
    }

    private IActorRef _containers = ActorRefs.Nobody;
}
