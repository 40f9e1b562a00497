using System.Collections.Frozen;
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
        ["index-containers"] = IndexContainers.Parser,
        ["containers-indexed"] = ContainersIndexed.Parser,
        ["start-session"] = StartSession.Parser,
        ["granted"] = Granted.Parser,
        ["session-accepted"] = SessionAccepted.Parser,
        ["session-waits"] = SessionWaits.Parser,
        ["session-over"] = SessionOver.Parser,
        ["end-session"] = EndSession.Parser,
        ["signal-session"] = SignalSession.Parser,
        ["describe-coordinator"] = DescribeCoordinator.Parser,
        ["coordinator-described"] = CoordinatorDescribed.Parser,
        ["mount-image"] = MountImage.Parser,
        ["mount-waits"] = MountWaits.Parser,
        ["image-mounted"] = ImageMounted.Parser,
        ["unmount-image"] = UnmountImage.Parser,
        ["image-unmounted"] = ImageUnmounted.Parser,
        ["find-leases"] = FindLeases.Parser,
        ["leases-found"] = LeasesFound.Parser,
        ["end-run"] = EndRun.Parser,
        ["find-images"] = FindImages.Parser,
        ["images-found"] = ImagesFound.Parser,
        ["record-image-name"] = RecordImageName.Parser,
        ["image-name-recorded"] = ImageNameRecorded.Parser,
        ["drop-image"] = DropImage.Parser,
        ["image-dropped"] = ImageDropped.Parser,
        ["cordon-node"] = CordonNode.Parser,
        ["node-cordoned"] = NodeCordoned.Parser,
        ["find-audit"] = FindAudit.Parser,
        ["audit-found"] = AuditFound.Parser,
        ["find-recordings"] = FindRecordings.Parser,
        ["recordings-found"] = RecordingsFound.Parser,
        ["read-recording"] = ReadRecording.Parser,
        ["recording-read"] = RecordingRead.Parser,
        ["certificates-revoked"] = CertificatesRevoked.Parser,
        ["session-runs"] = SessionRuns.Parser,
        ["find-kept-runs"] = FindKeptRuns.Parser,
        ["kept-runs-found"] = KeptRunsFound.Parser,
        ["replay-session"] = ReplaySession.Parser,
        ["remove-run"] = RemoveRun.Parser,
        ["run-removed"] = RunRemoved.Parser,
        ["find-live-runs"] = FindLiveRuns.Parser,
        ["live-runs-found"] = LiveRunsFound.Parser,
    };

    /// <summary>By which a frame names this serializer.</summary>
    internal const int Number = 4201;

    /// <summary>The manifests of what nodes may send.</summary>
    internal static FrozenSet<string> OfNodes { get; } = ManifestsOf<INodeMessage>();

    internal static FrozenSet<string> StateTheirNode { get; } = ManifestsOf<INodeAnswer>();

    public override int Identifier => Number;

    public override string Manifest(object o) => o switch
    {
        DescribeNode => "describe-node",
        NodeDescribed => "node-described",
        FindContainers => "find-containers",
        ContainersFound => "containers-found",
        IndexContainers => "index-containers",
        ContainersIndexed => "containers-indexed",
        StartSession => "start-session",
        Granted => "granted",
        SessionAccepted => "session-accepted",
        SessionWaits => "session-waits",
        SessionOver => "session-over",
        EndSession => "end-session",
        SignalSession => "signal-session",
        DescribeCoordinator => "describe-coordinator",
        CoordinatorDescribed => "coordinator-described",
        MountImage => "mount-image",
        MountWaits => "mount-waits",
        ImageMounted => "image-mounted",
        UnmountImage => "unmount-image",
        ImageUnmounted => "image-unmounted",
        FindLeases => "find-leases",
        LeasesFound => "leases-found",
        EndRun => "end-run",
        FindImages => "find-images",
        ImagesFound => "images-found",
        RecordImageName => "record-image-name",
        ImageNameRecorded => "image-name-recorded",
        DropImage => "drop-image",
        ImageDropped => "image-dropped",
        CordonNode => "cordon-node",
        NodeCordoned => "node-cordoned",
        FindAudit => "find-audit",
        AuditFound => "audit-found",
        FindRecordings => "find-recordings",
        RecordingsFound => "recordings-found",
        ReadRecording => "read-recording",
        RecordingRead => "recording-read",
        CertificatesRevoked => "certificates-revoked",
        SessionRuns => "session-runs",
        FindKeptRuns => "find-kept-runs",
        KeptRunsFound => "kept-runs-found",
        ReplaySession => "replay-session",
        RemoveRun => "remove-run",
        RunRemoved => "run-removed",
        FindLiveRuns => "find-live-runs",
        LiveRunsFound => "live-runs-found",
        _ => throw new SerializationException($"{o.GetType()} is no wire message."),
    };

    public override byte[] ToBinary(object obj) => obj is IWireMessage message
        ? message.ToByteArray()
        : throw new SerializationException($"{obj.GetType()} is no wire message.");

    public override object FromBinary(byte[] bytes, string manifest) => Parsers.TryGetValue(manifest, out MessageParser? parser)
        ? parser.ParseFrom(bytes)
        : throw new SerializationException($"There is no wire message '{manifest}'.");

    private static FrozenSet<string> ManifestsOf<T>() =>
        Parsers.Where(known => known.Value.ParseFrom(ByteString.Empty) is T).Select(known => known.Key).ToFrozenSet(StringComparer.Ordinal);
}
