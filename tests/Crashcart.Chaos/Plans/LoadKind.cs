namespace Crashcart.Chaos.Plans;

/// <summary>What a person could do with Crashcart while things break.</summary>
internal enum LoadKind
{
    LocalExec,
    LocalLong,
    LocalOutput,
    LocalSlowReader,
    LocalTerminal,
    LocalShared,
    Mount,
    MountAndUnmount,
    NodeExec,
    NodeShared,
    NodeTerminal,
    NodeMount,
    NodeMountAndUnmount,
    FleetExec,
    FleetLong,
    FleetOutput,
    FleetSlowReader,
}
