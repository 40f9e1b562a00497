namespace Crashcart.Chaos.Plans;

/// <summary>What is broken.</summary>
internal enum FaultKind
{
    /// <summary>A process ends, stops or fails at a named step of attach, exec or release.</summary>
    Step,
    CommandLine,
    Guardian,
    Entrant,
    Reaper,
    Tool,
    Node,
    Coordinator,
    Container,
    Docker,

    /// <summary>The file system of a node's state directory.</summary>
    StateDirectory,
}
