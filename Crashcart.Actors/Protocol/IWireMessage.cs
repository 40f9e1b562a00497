using Google.Protobuf;

namespace Crashcart.Actors.Protocol;

/// <summary>Everything that may cross Akka.Remote. Nothing else is serialized or deserialized.</summary>
public interface IWireMessage : IMessage;

/// <summary>Asks a member something.</summary>
public interface IQuestion : IWireMessage
{
    /// <summary>The answer has the same.</summary>
    string CorrelationId { get; }

    Type AnswerType { get; }
}

/// <summary>The answer to one <see cref="IQuestion"/>.</summary>
public interface IAnswer : IWireMessage
{
    string CorrelationId { get; }
}

/// <summary>What nodes tell coordinators. Everything else is taken from coordinators only, where members have identities.</summary>
public interface INodeMessage : IWireMessage;

/// <summary>Says which node it is from, and is taken from that node only.</summary>
public interface INodeAnswer : IAnswer, INodeMessage
{
    /// <summary>The field with the number 2.</summary>
    string Node { get; }
}

public sealed partial class DescribeNode : IQuestion
{
    public Type AnswerType => typeof(NodeDescribed);
}

public sealed partial class NodeDescribed : INodeAnswer;

public sealed partial class FindContainers : IQuestion
{
    public Type AnswerType => typeof(ContainersFound);
}

public sealed partial class ContainersFound : INodeAnswer;

public sealed partial class IndexContainers : IWireMessage;

public sealed partial class ContainersIndexed : INodeMessage;

public sealed partial class StartSession : IWireMessage;

public sealed partial class Granted : IWireMessage;

public sealed partial class SessionAccepted : INodeMessage;

public sealed partial class SessionWaits : INodeMessage;

public sealed partial class SessionOver : INodeMessage;

public sealed partial class SessionRuns : INodeMessage;

public sealed partial class EndSession : IWireMessage;

public sealed partial class SignalSession : IWireMessage;

public sealed partial class CertificatesRevoked : IWireMessage;

public sealed partial class DescribeCoordinator : IWireMessage;

public sealed partial class CoordinatorDescribed : IWireMessage;

public sealed partial class MountImage : IWireMessage;

public sealed partial class MountWaits : INodeMessage;

public sealed partial class ImageMounted : INodeMessage;

public sealed partial class UnmountImage : IWireMessage;

public sealed partial class ImageUnmounted : INodeMessage;

public sealed partial class FindLeases : IQuestion
{
    public Type AnswerType => typeof(LeasesFound);
}

public sealed partial class LeasesFound : INodeAnswer;

public sealed partial class EndRun : IWireMessage;

public sealed partial class FindImages : IQuestion
{
    public Type AnswerType => typeof(ImagesFound);
}

public sealed partial class ImagesFound : IAnswer;

public sealed partial class RecordImageName : IQuestion
{
    public Type AnswerType => typeof(ImageNameRecorded);
}

public sealed partial class ImageNameRecorded : IAnswer;

public sealed partial class DropImage : IQuestion
{
    public Type AnswerType => typeof(ImageDropped);
}

public sealed partial class ImageDropped : IAnswer, INodeMessage;

public sealed partial class CordonNode : IQuestion
{
    public Type AnswerType => typeof(NodeCordoned);
}

public sealed partial class NodeCordoned : INodeAnswer;

public sealed partial class FindKeptRuns : IQuestion
{
    public Type AnswerType => typeof(KeptRunsFound);
}

public sealed partial class KeptRunsFound : INodeAnswer;

public sealed partial class ReplaySession : IWireMessage;

public sealed partial class RemoveRun : IQuestion
{
    public Type AnswerType => typeof(RunRemoved);
}

public sealed partial class RunRemoved : INodeAnswer;

public sealed partial class FindLiveRuns : IQuestion
{
    public Type AnswerType => typeof(LiveRunsFound);
}

public sealed partial class LiveRunsFound : IAnswer;

public sealed partial class FindAudit : IQuestion
{
    public Type AnswerType => typeof(AuditFound);
}

public sealed partial class AuditFound : INodeAnswer;

public sealed partial class FindRecordings : IQuestion
{
    public Type AnswerType => typeof(RecordingsFound);
}

public sealed partial class RecordingsFound : IAnswer;

public sealed partial class ReadRecording : IQuestion
{
    public Type AnswerType => typeof(RecordingRead);
}

public sealed partial class RecordingRead : IAnswer;
