using Google.Protobuf;

namespace Crashcart.Actors.Protocol;

/// <summary>Everything that may cross Akka.Remote. Nothing else is serialized or deserialized.</summary>
public interface IWireMessage : IMessage;

public sealed partial class DescribeNode : IWireMessage;

public sealed partial class NodeDescribed : IWireMessage;

public sealed partial class FindContainers : IWireMessage;

public sealed partial class ContainersFound : IWireMessage;

public sealed partial class StartSession : IWireMessage;

public sealed partial class SessionAccepted : IWireMessage;

public sealed partial class SessionOver : IWireMessage;

public sealed partial class EndSession : IWireMessage;

public sealed partial class DescribeCoordinator : IWireMessage;

public sealed partial class CoordinatorDescribed : IWireMessage;

public sealed partial class MountImage : IWireMessage;

public sealed partial class ImageMounted : IWireMessage;

public sealed partial class UnmountImage : IWireMessage;

public sealed partial class ImageUnmounted : IWireMessage;

public sealed partial class FindLeases : IWireMessage;

public sealed partial class LeasesFound : IWireMessage;

public sealed partial class EndRun : IWireMessage;
