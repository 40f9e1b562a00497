using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Runs;

/// <summary>What a node finds of runs that were kept before it started.</summary>
internal static class RunsDirectory
{
    /// <summary>All sessions by their ids. What cannot be understood is told in the log and left alone.</summary>
    public static ConcurrentDictionary<string, SessionRecord> Load(string directory, ILogger log)
    {
        var sessions = new ConcurrentDictionary<string, SessionRecord>();
        try
        {
            foreach (var run in Directory.Exists(directory) ? Directory.GetDirectories(directory) : [])
                Load(run, sessions, log);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            RunsLog.NotUnderstood(log, directory, e.Message);
        }

        return sessions;
    }

    private static void Load(string run, ConcurrentDictionary<string, SessionRecord> sessions, ILogger log)
    {
        var records = Directory.GetFiles(run, "*" + SessionRecord.Suffix);
        // A process that was killed had begun to make it, or to remove it.
        if (records.Length == 0)
            Directory.Delete(run, recursive: true);
        foreach (var path in records)
        {
            try
            {
                var record = SessionRecord.Load(path, log);
                sessions[record.SessionId] = record;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                RunsLog.NotUnderstood(log, path, e.Message);
            }
        }
    }
}
