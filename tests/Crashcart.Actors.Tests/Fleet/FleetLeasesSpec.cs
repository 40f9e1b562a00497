using System.Collections.Concurrent;
using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>What a coordinator does about mounts and sessions that are held on nodes.</summary>
public sealed class FleetLeasesSpec : FleetSpec
{
    private const string Data = "/dev/crashcart-data";

    private readonly Port _port = new();
    private bool _lacksImage;
    private readonly IActorRef _fleet;

    public FleetLeasesSpec() => _fleet = StartFleet("node-1");

    [Fact]
    public void What_is_held_is_asked_of_the_nodes()
    {
        _fleet.Tell(new LeaseQuery.List("app=web", "node-*"));

        Held("app=web", new HeldMount { ContainerId = "c" });

        var found = ExpectMsg<LeaseQuery.Found>();
        Assert.Equal("c", Assert.Single(Assert.Single(found.Nodes).Mounts).ContainerId);
        Assert.Empty(found.Silent);
    }

    [Fact]
    public void Nodes_that_the_glob_does_not_name_are_left_out()
    {
        _fleet.Tell(new LeaseQuery.List("", "other-*"));

        Assert.Empty(ExpectMsg<LeaseQuery.Found>().Nodes);
    }

    [Fact]
    public void A_node_that_does_not_answer_is_named()
    {
        _fleet.Tell(new LeaseQuery.List("", ""));
        Node.ExpectMsg<FindLeases>();

        Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("The node did not answer within 5 s.", Assert.Single(ExpectMsg<LeaseQuery.Found>().Silent).Problem);
    }

    [Fact]
    public void The_image_is_mounted_in_every_container_that_is_selected()
    {
        Change(new RunTargets.Selected("app=web", ""), mount: true);
        Find("app=web", Container("a"), Container("b"));
        MountImage[] asked = [Node.ExpectMsg<MountImage>(), Node.ExpectMsg<MountImage>()];
        Assert.Equal([("a", "anna", Data), ("b", "anna", Data)], asked.Select(one => (one.ContainerId, one.Holder, one.Path)));

        Node.Reply(new ImageMounted { CorrelationId = asked[1].CorrelationId, Problem = "No." });
        Node.Reply(new ImageMounted { CorrelationId = asked[0].CorrelationId, LeaseId = "lease-1" });

        Assert.Equal(
            [("a", "", "lease-1"), ("b", "No.", "")],
            ExpectMsg<LeaseQuery.Changed>().Mounts.Select(one => (one.Target.Container.Id, one.Problem, one.LeaseId)));
    }

    [Fact]
    public void A_mount_is_taken_away_by_force_when_it_is_asked_to()
    {
        Change(RunTargets.One.Parse("node-1/a"), mount: false);
        Find("", Container("a"));
        UnmountImage asked = Node.ExpectMsg<UnmountImage>();
        Assert.Equal(("a", true, Data), (asked.ContainerId, asked.Force, asked.Path));

        Node.Reply(new ImageUnmounted { CorrelationId = asked.CorrelationId, WasMounted = true });

        Assert.True(Assert.Single(ExpectMsg<LeaseQuery.Changed>().Mounts).WasMounted);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("-1")]
    [InlineData("x")]
    public void An_answer_to_nothing_that_was_asked_counts_for_nothing(string correlation)
    {
        Change(RunTargets.One.Parse("a"), mount: true);
        Find("", Container("a"));
        MountImage asked = Node.ExpectMsg<MountImage>();

        Node.Reply(new ImageMounted { CorrelationId = correlation, LeaseId = "lease-0" });
        Node.Reply(new ImageMounted { CorrelationId = asked.CorrelationId, LeaseId = "lease-1" });

        Assert.Equal("lease-1", Assert.Single(ExpectMsg<LeaseQuery.Changed>().Mounts).LeaseId);
    }

    [Fact]
    public void A_container_that_nobody_has_is_refused()
    {
        Change(RunTargets.One.Parse("a"), mount: true);

        Find("");

        Assert.True(ExpectMsg<LeaseQuery.Rejected>().NotFound);
    }

    [Fact]
    public void Nothing_that_is_selected_is_nothing_that_changed()
    {
        Change(new RunTargets.Selected("app=web", ""), mount: true);

        Find("app=web");

        Assert.Empty(ExpectMsg<LeaseQuery.Changed>().Mounts);
    }

    [Fact]
    public void What_is_asked_of_a_node_is_granted_in_a_fleet_that_has_an_authority()
    {
        var access = new TargetAccess(new Policy([]), new PolicyQuestion(PolicySubject.Local(0), PolicyVerb.Unmount)) { Signer = new PlainSigner() };
        _fleet.Tell(new LeaseQuery.Unmount(RunTargets.One.Parse("a"), "anna", Force: false, Data) { Access = access });
        ContainerDescription container = Container("a");
        container.Labels["app"] = "web";
        Find("", container);

        Grant grant = Grant.Parser.ParseFrom(Node.ExpectMsg<Granted>().Grant);

        Assert.Equal(("node-1", "local:0", "unmount"), (grant.Node, grant.Subject, grant.Verb));
        Assert.Equal(("a", "web"), (grant.Unmount.ContainerId, grant.Unmount.Chosen.Labels["app"]));
    }

    [Fact]
    public void A_node_that_does_not_answer_is_told_for_each_container()
    {
        Change(RunTargets.One.Parse("a"), mount: true);
        Find("", Container("a"));
        Node.ExpectMsg<MountImage>();

        Advance(MountChangeActor.Patience);

        Assert.StartsWith("Node node-1 did not answer within 20 s", Assert.Single(ExpectMsg<LeaseQuery.Changed>().Mounts).Problem);
    }

    [Fact]
    public void The_image_that_is_wanted_is_mounted_and_how_far_it_has_come_is_told()
    {
        var image = new WantedImage { Digest = "sha256:a", Name = "tools:1", Sources = { new ImageSource { Endpoint = "http://127.0.0.1:1" } } };
        Change(RunTargets.One.Parse("a"), mount: true, image);
        Find("", Container("a"));
        MountImage asked = Node.ExpectMsg<MountImage>();
        Assert.Equal(image, asked.Image);

        for (int second = 0; second < 60; second += 15)
        {
            Advance(TimeSpan.FromSeconds(15));
            Node.Reply(new MountWaits { CorrelationId = asked.CorrelationId, Image = "tools:1", Received = second, Size = 60 });
            AwaitAssert(() => Assert.Equal(("node-1", second), (_port.Told.Last().Node, _port.Told.Last().Waits.Received)));
        }

        Node.Reply(new ImageMounted { CorrelationId = asked.CorrelationId, LeaseId = "lease-1" });
        Assert.Equal("lease-1", Assert.Single(ExpectMsg<LeaseQuery.Changed>().Mounts).LeaseId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_nodes_that_were_given_no_image_are_offered_the_fleet_s_own(bool lacksImage)
    {
        _lacksImage = lacksImage;
        _port.DefaultImage = new WantedImage { Digest = "sha256:a", OnlyWithoutOwn = true };

        Change(RunTargets.One.Parse("a"), mount: true);
        Find("", Container("a"));

        Assert.Equal(lacksImage ? _port.DefaultImage : null, Node.ExpectMsg<MountImage>().Image);
    }

    [Fact]
    public void When_the_client_leaves_the_node_s_mount_loses_who_waits_for_it()
    {
        Change(RunTargets.One.Parse("a"), mount: true);
        Find("", Container("a"));
        Node.ExpectMsg<MountImage>();
        Watch(Node.LastSender);

        _port.Leave();

        ExpectMsg<LeaseQuery.Rejected>();
        ExpectTerminated(Node.LastSender);
    }

    [Theory]
    [InlineData("run-1", new[] { "run-1-0", "run-1-1" })]
    [InlineData("run-1-1", new[] { "run-1-1" })]
    [InlineData("run-2", new string[0])]
    [InlineData("3", new[] { "run-3-0" })]
    public void A_session_or_a_run_is_ended_where_it_is(string id, string[] ended)
    {
        _fleet.Tell(new LeaseQuery.Kill(id, "somebody"));
        FindKeptRuns runs = Node.ExpectMsg<FindKeptRuns>();
        Node.Reply(new KeptRunsFound { CorrelationId = runs.CorrelationId, Node = "node-1" });
        FindLeases find = Node.ExpectMsg<FindLeases>();
        Node.Reply(new LeasesFound
        {
            CorrelationId = find.CorrelationId,
            Node = "node-1",
            Sessions =
            {
                new HeldSession { SessionId = "run-1-0", RunId = "run-1" },
                new HeldSession { SessionId = "run-1-1", RunId = "run-1" },
                new HeldSession { SessionId = "run-3-0", RunId = "run-3" },
            },
        });

        Assert.Equal(ended, ExpectMsg<LeaseQuery.Killed>().Sessions.Select(held => held.Session.SessionId));
        Assert.Equal(ended, ended.Select(_ => Node.ExpectMsg<EndSession>().SessionId));
        Node.ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void The_beginning_of_several_runs_ends_none_of_them()
    {
        _fleet.Tell(new LeaseQuery.Kill("run-", "somebody"));
        FindKeptRuns runs = Node.ExpectMsg<FindKeptRuns>();
        Node.Reply(new KeptRunsFound
        {
            CorrelationId = runs.CorrelationId,
            Node = "node-1",
            Runs = { new KeptRun { RunId = "run-1", Running = 1 }, new KeptRun { RunId = "run-2", Running = 1 }, new KeptRun { RunId = "run-3", Done = 1 } },
        });
        FindLeases find = Node.ExpectMsg<FindLeases>();
        Node.Reply(new LeasesFound { CorrelationId = find.CorrelationId, Node = "node-1" });

        Assert.Contains("2 runs: run-1, run-2", ExpectMsg<LeaseQuery.Rejected>().Message, StringComparison.Ordinal);
        Node.ExpectNoMsg(TimeSpan.Zero);
    }

    private void Change(RunTargets targets, bool mount, WantedImage? image = null) => _fleet.Tell(mount
        ? new LeaseQuery.Mount(targets, "anna", image, _port, Data)
        : new LeaseQuery.Unmount(targets, "anna", Force: true, Data));

    private void Find(string selector, params ContainerDescription[] containers)
    {
        FindContainers find = Node.ExpectMsg<FindContainers>();
        Assert.Equal(selector, find.Selector);
        Node.Reply(new ContainersFound { CorrelationId = find.CorrelationId, Node = "node-1", Containers = { containers }, LacksImage = _lacksImage });
    }

    private void Held(string selector, HeldMount mount)
    {
        FindLeases find = Node.ExpectMsg<FindLeases>();
        Assert.Equal(selector, find.Selector);
        Node.Reply(new LeasesFound { CorrelationId = find.CorrelationId, Node = "node-1", Mounts = { mount } });
    }

    private sealed class Port : IMountPort
    {
        private CancellationTokenSource Client { get; } = new();

        public ConcurrentQueue<(string Node, MountWaits Waits)> Told { get; } = [];

        public WantedImage? DefaultImage { get; set; }

        public CancellationToken Left => Client.Token;

        public void Leave() => Client.Cancel();

        public Task<WantedImage?> DefaultImageAsync() => Task.FromResult(DefaultImage);

        public void Tell(string node, MountWaits waits) => Told.Enqueue((node, waits));
    }
}
