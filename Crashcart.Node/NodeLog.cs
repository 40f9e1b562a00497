using Microsoft.Extensions.Logging;

namespace Crashcart.Node;

/// <summary>The node's own events; those of its actors come through Akka's log.</summary>
internal static partial class NodeLog
{
    [LoggerMessage(1, LogLevel.Information, "Node {Name} {Version} starts: image {Image}, docker {Docker}")]
    public static partial void Starting(ILogger log, string name, string version, string image, string docker);

    [LoggerMessage(2, LogLevel.Information, "Node {Name} stopped")]
    public static partial void Stopped(ILogger log, string name);

    [LoggerMessage(5, LogLevel.Information, "Joining the fleet by {Seeds}, listening on {Listen}")]
    public static partial void Joining(ILogger log, string seeds, string listen);

    [LoggerMessage(10, LogLevel.Error, "The leases in {Path} cannot be understood ({Problem}); the file is now {Aside}, and the mounts are looked for in the kernel")]
    public static partial void PutLeasesAside(ILogger log, string path, string problem, string aside);

    [LoggerMessage(11, LogLevel.Error, "The leases in {Path} cannot be understood ({Problem}) nor put aside ({Reason}): the next lease replaces them")]
    public static partial void CannotPutLeasesAside(ILogger log, string path, string problem, string reason);

    [LoggerMessage(4, LogLevel.Information, "Stopping on signal {Signal}; the same again does not wait for anything")]
    public static partial void Signalled(ILogger log, string signal);

    [LoggerMessage(6, LogLevel.Information, "Stopping at once on signal {Signal}")]
    public static partial void SignalledAgain(ILogger log, string signal);

    [LoggerMessage(7, LogLevel.Information, "Node {Name} drains: it takes no more sessions, and tools that run have {Seconds} s to end")]
    public static partial void Draining(ILogger log, string name, double seconds);

    [LoggerMessage(8, LogLevel.Information, "Node {Name} is drained")]
    public static partial void Drained(ILogger log, string name);

    [LoggerMessage(9, LogLevel.Warning, "Node {Name} could not end all sessions in time ({Reason}); what is left ends with the process")]
    public static partial void NotDrained(ILogger log, string name, string reason);
}
