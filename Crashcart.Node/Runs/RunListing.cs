using Crashcart.Actors.Protocol;

namespace Crashcart.Node.Runs;

/// <summary>What one node has of a run, added up.</summary>
internal static class RunListing
{
    /// <param name="sessions">Of one run; at least one.</param>
    public static KeptRun Of(IEnumerable<KeptSession> sessions, bool withSessions)
    {
        var all = sessions.OrderBy(session => session.Target).ToList();
        return new KeptRun
        {
            RunId = all[0].RunId,
            Tool = all[0].Tool,
            By = all[0].By,
            SinceUnixMs = all[0].RunSinceUnixMs,
            Targets = all.Max(session => session.Targets),
            Running = all.Count(session => session.End is null),
            Done = all.Count(session => session.End is { ExitCode: 0 }),
            Failed = all.Count(session => session.End is { ExitCode: not 0 }),
            Bytes = all.Sum(session => session.Bytes),
            Sessions = { withSessions ? all : [] },
        };
    }
}
