using Akka.Actor;
using Crashcart.Actors.Node;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Node;

/// <summary>A node that does what coordinators have granted, and a container that is another than they chose.</summary>
public sealed class GrantSpec : NodeSpec
{
    private const string Nobody = "Node node-1 does nothing that no coordinator has granted.";

    private readonly ScriptedGrants _grants = new();

    private static ContainerLabels Chosen => new() { Labels = { ["app"] = "web" } };

    private static StartSession Session => new()
    {
        SessionId = "s1",
        ContainerId = Web.Id.Value,
        Tool = new ToolDescription { Argv = { "true" } },
        Ticket = ByteString.CopyFromUtf8("ticket"),
        Chosen = Chosen,
    };

    private static MountImage Mount => new() { CorrelationId = "m", ContainerId = Web.Id.Value, Holder = "somebody", Chosen = Chosen };

    private static UnmountImage Unmount => new() { CorrelationId = "u", ContainerId = Web.Id.Value, Chosen = Chosen };

    [Fact]
    public void Does_what_is_granted()
    {
        Runtime.Run(Web);
        var node = Start();

        node.Tell(ScriptedGrants.Of(Session), TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));
        node.Tell(ScriptedGrants.Of(Mount), TestActor);
        Assert.Equal("", ExpectMsg<ImageMounted>().Problem);
        node.Tell(ScriptedGrants.Of(Unmount), TestActor);

        Assert.Equal(new ImageUnmounted { CorrelationId = "u", WasMounted = true }, ExpectMsg<ImageUnmounted>());
    }

    [Fact]
    public void Does_nothing_without_a_grant()
    {
        Runtime.Run(Web);
        var node = Start();

        node.Tell(Session, TestActor);
        Assert.Equal(new SessionOver { SessionId = "s1", Ticket = Session.Ticket, Problem = Nobody }, ExpectMsg<SessionOver>());
        node.Tell(Mount, TestActor);
        Assert.Equal(new ImageMounted { CorrelationId = "m", Problem = Nobody }, ExpectMsg<ImageMounted>());
        node.Tell(Unmount, TestActor);
        Assert.Equal(new ImageUnmounted { CorrelationId = "u", Problem = Nobody }, ExpectMsg<ImageUnmounted>());
        Assert.Empty(Host.Mounts);
    }

    [Fact]
    public void Says_why_it_does_not_believe_a_grant()
    {
        Runtime.Run(Web);
        var node = Start();
        _grants.Problem = "It is forged.";

        node.Tell(ScriptedGrants.Of(Session), TestActor);
        Assert.Equal(new SessionOver { SessionId = "s1", Ticket = Session.Ticket, Problem = "It is forged." }, ExpectMsg<SessionOver>());
        node.Tell(ScriptedGrants.Of(Mount), TestActor);
        Assert.Equal("It is forged.", ExpectMsg<ImageMounted>().Problem);

        // Nothing that it could answer.
        node.Tell(new Granted { Grant = new Grant { Node = "x" }.ToByteString() }, TestActor);
        node.Tell(new DescribeNode(), TestActor);
        Assert.Equal(0, ExpectMsg<NodeDescribed>().Sessions);
    }

    [Fact]
    public void A_node_of_a_fleet_without_an_authority_takes_what_is_sent()
    {
        Runtime.Run(Web);
        var node = Sys.ActorOf(NodeActor.Props(Facts, Ports, new ScriptedCordon()), NodeActor.Name);

        node.Tell(ScriptedGrants.Of(Session), TestActor);
        node.Tell(Session, TestActor);

        ExpectMsg<SessionAccepted>();
    }

    [Theory]
    [InlineData("app", "db")]
    [InlineData("app", null)]
    [InlineData("tier", "front")]
    public void Does_not_enter_a_container_whose_labels_are_others_by_now(string label, string? value)
    {
        var labels = new Dictionary<string, string> { ["app"] = "web" };
        labels.Remove(label);
        if (value is not null)
            labels[label] = value;
        Runtime.Run(Web with { Labels = labels });
        var node = Start();

        node.Tell(ScriptedGrants.Of(Session), TestActor);
        ExpectMsg<SessionAccepted>();
        ExpectMsg<SessionOver>();
        Assert.Equal("The labels of container web have changed since it was chosen, so it was not entered; do it again.", Calls.Failure?.Message);
        node.Tell(ScriptedGrants.Of(Mount), TestActor);
        Assert.StartsWith("The labels of container web have changed", ExpectMsg<ImageMounted>().Problem);
        node.Tell(ScriptedGrants.Of(Unmount), TestActor);
        Assert.StartsWith("The labels of container web have changed", ExpectMsg<ImageUnmounted>().Problem);

        Assert.False(Calls.IsCarrying);
        Assert.Empty(Host.Mounts);
    }

    [Fact]
    public void A_container_that_is_relabelled_on_the_way_is_not_entered()
    {
        Runtime.Run(Web);
        var node = Start();
        node.Tell(new FindContainers { Selector = "app=web" }, TestActor);
        Assert.Single(ExpectMsg<ContainersFound>().Containers);

        Runtime.Run(Web with { Labels = new Dictionary<string, string> { ["app"] = "vault" } });
        AwaitAssert(() =>
        {
            node.Tell(new FindContainers { Selector = "app=vault" }, TestActor);
            Assert.Single(ExpectMsg<ContainersFound>().Containers);
        });
        node.Tell(ScriptedGrants.Of(Session), TestActor);

        ExpectMsg<SessionAccepted>();
        ExpectMsg<SessionOver>();
        Assert.StartsWith("The labels of container web have changed", Calls.Failure?.Message);
    }

    private static NodeFacts Facts => new("node-1", "0.1.0", "6.1", "x64", TimeSpan.Zero);

    private IActorRef Start() => Sys.ActorOf(NodeActor.Props(Facts, Ports with { Grants = _grants }, new ScriptedCordon()), NodeActor.Name);
}
