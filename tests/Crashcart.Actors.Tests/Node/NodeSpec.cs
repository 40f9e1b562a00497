using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Tests.Node.Doubles;

namespace Crashcart.Actors.Tests.Node;

/// <summary>What the specs of the node's actors share: a system in virtual time, and a scripted outside world.</summary>
public abstract class NodeSpec() : TestKit(Settings)
{
    private static readonly Config Settings = ConfigurationFactory.ParseString("""
        akka.scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit"
        akka.actor.serialize-messages = on
        akka.actor.serializers.crashcart = "Crashcart.Actors.Protocol.WireSerializer, Crashcart.Actors"
        akka.actor.serialization-bindings { "Crashcart.Actors.Protocol.IWireMessage, Crashcart.Actors" = crashcart }
        akka.loglevel = ERROR
        akka.log-dead-letters = off
        """);

    internal ScriptedRuntime Runtime { get; init; } = new();

    internal ScriptedTargets Targets { get; } = new();

    internal ScriptedImages Images { get; init; } = new() { Immediate = true };

    internal ScriptedStoredImages Stored { get; } = new();

    internal ScriptedMounts Mounts { get; } = new();

    internal ScriptedTools Tools { get; set; } = new();

    internal ScriptedCalls Calls { get; set; } = new();

    internal ScriptedRecords Records { get; } = new();

    internal ScriptedHost Host { get; } = new();

    internal NodePorts Ports => new([Runtime], Targets, Images, Stored, Mounts, Tools, Calls, Records, Host, Host, Host, new ScriptedAudit());

    internal static Container Web { get; } = Container("web", 100, ("app", "web"));

    internal static Container Container(string name, int pid, params (string Key, string Value)[] labels) => new(
        new ContainerId(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)))),
        pid,
        name,
        "busybox",
        "running",
        "docker",
        labels.ToDictionary(l => l.Key, l => l.Value),
        1_700_000_000_000);

    protected void Advance(TimeSpan time) => ((TestScheduler)Sys.Scheduler).Advance(time);
}
