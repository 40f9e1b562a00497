using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node;

/// <summary>A container that runs, or is paused, on this node.</summary>
/// <param name="Pid">Of its first process, in the host's PID namespace.</param>
/// <param name="State">running or paused</param>
/// <param name="StartedUnixMs">Milliseconds since 1970-01-01 UTC.</param>
public sealed record Container(
    ContainerId Id,
    int Pid,
    string Name,
    string Image,
    string State,
    string Runtime,
    IReadOnlyDictionary<string, string> Labels,
    long StartedUnixMs)
{
    public ContainerDescription Describe() => new()
    {
        Id = Id.Value,
        Name = Name,
        Image = Image,
        State = State,
        Runtime = Runtime,
        Labels = { Labels.ToDictionary() },
        StartedUnixMs = StartedUnixMs,
    };
}
