using System.CommandLine;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Output;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart sessions</c>: the tools that run through the fleet.</summary>
internal static class SessionsCommand
{
    private static readonly string[] Headings = ["SESSION", "RUN", "NODE", "CONTAINER", "TOOL", "AGE", "MOUNT", "DEVICE", "IMAGE"];

    public static Command Create() => HeldListing.Create(
        "sessions",
        """
        List the tools that run through the fleet. 'crashcart kill' ends one.

        Tools are named without their arguments, which may hold secrets. When a host did not answer, the
        others' are listed, and the exit status is 125.
        """,
        (answer, isJson) =>
        {
            var sessions = answer.Sessions
                .OrderBy(session => session.SinceUnixMs)
                .ThenBy(session => session.SessionId, StringComparer.Ordinal);
            return isJson ? JsonOutput.Of(sessions, Write) : TextTable.Of(Headings, sessions.Select(session => Row(session, DateTimeOffset.UtcNow)));
        });

    internal static IReadOnlyList<string> Row(Session session, DateTimeOffset now) =>
    [
        session.SessionId,
        HeldListing.OrDash(session.RunId),
        session.Node,
        HeldListing.NameOf(session.Container, session.ContainerId, 0),
        session.Tool,
        HeldListing.Age(session.SinceUnixMs, now),
        session.Shared ? "shared" : "private",
        HeldListing.OrDash(session.LoopDevice),
        HeldListing.Digest(session.ImageDigest),
    ];

    private static void Write(Utf8JsonWriter json, Session session)
    {
        json.WriteString("session", session.SessionId);
        json.WriteString("run", session.RunId);
        json.WriteString("node", session.Node);
        json.WriteString("container", session.Container);
        json.WriteString("containerId", session.ContainerId);
        json.WriteString("tool", session.Tool);
        json.WriteBoolean("shared", session.Shared);
        json.WriteString("since", DateTimeOffset.FromUnixTimeMilliseconds(session.SinceUnixMs));
        json.WriteString("loopDevice", session.LoopDevice);
        json.WriteString("imageDigest", session.ImageDigest);
    }
}
