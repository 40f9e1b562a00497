using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;

namespace Crashcart.Actors.Protocol;

/// <summary>
/// Protobuf for wire messages. A peer chooses among these manifests and nothing else: no type's name is ever taken from
/// the wire.
/// </summary>
public sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private static readonly Dictionary<string, MessageParser> Parsers = new(StringComparer.Ordinal)
    {
        ["describe-node"] = DescribeNode.Parser,
        ["node-described"] = NodeDescribed.Parser,
        ["find-containers"] = FindContainers.Parser,
        ["containers-found"] = ContainersFound.Parser,
        ["start-session"] = StartSession.Parser,
        ["session-accepted"] = SessionAccepted.Parser,
        ["session-over"] = SessionOver.Parser,
        ["end-session"] = EndSession.Parser,
        ["describe-coordinator"] = DescribeCoordinator.Parser,
        ["coordinator-described"] = CoordinatorDescribed.Parser,
        ["mount-image"] = MountImage.Parser,
        ["image-mounted"] = ImageMounted.Parser,
        ["unmount-image"] = UnmountImage.Parser,
        ["image-unmounted"] = ImageUnmounted.Parser,
        ["find-leases"] = FindLeases.Parser,
        ["leases-found"] = LeasesFound.Parser,
        ["end-run"] = EndRun.Parser,
    };

    public override int Identifier => 4201;

    public override string Manifest(object o) => o switch
    {
        DescribeNode => "describe-node",
        NodeDescribed => "node-described",
        FindContainers => "find-containers",
        ContainersFound => "containers-found",
        StartSession => "start-session",
        SessionAccepted => "session-accepted",
        SessionOver => "session-over",
        EndSession => "end-session",
        DescribeCoordinator => "describe-coordinator",
        CoordinatorDescribed => "coordinator-described",
        MountImage => "mount-image",
        ImageMounted => "image-mounted",
        UnmountImage => "unmount-image",
        ImageUnmounted => "image-unmounted",
        FindLeases => "find-leases",
        LeasesFound => "leases-found",
        EndRun => "end-run",
        _ => throw new SerializationException($"{o.GetType()} is no wire message."),
    };

    public override byte[] ToBinary(object obj) => obj is IWireMessage message
        ? message.ToByteArray()
        : throw new SerializationException($"{obj.GetType()} is no wire message.");

    public override object FromBinary(byte[] bytes, string manifest) => Parsers.TryGetValue(manifest, out MessageParser? parser)
        ? parser.ParseFrom(bytes)
        : throw new SerializationException($"There is no wire message '{manifest}'.");
}
