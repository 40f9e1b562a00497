using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Grammar;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>The options that say how a run goes through its targets, and when it ends.</summary>
internal sealed class FanOutOptions
{
    private readonly Option<string> _parallel = new("--parallel")
    {
        HelpName = "N",
        Description = "At most so many tools at one time; by default all",
    };

    private readonly Option<string> _perNode = new("--parallel-per-node")
    {
        HelpName = "N",
        Description = "At most so many tools at one time on each host",
    };

    private readonly Option<string> _canary = new("--canary")
    {
        HelpName = "N",
        Description = "Run in so many first, and in the others only when the tool ended with 0 in all of these",
    };

    private readonly Option<string> _maxFailures = new("--max-failures")
    {
        HelpName = "N|N%",
        Description = "Start no more when more than so many have failed; what runs goes on",
    };

    private readonly Option<string> _deadline = new("--deadline")
    {
        HelpName = "TIME",
        Description = "End the whole run after this long, like 90s or 5m",
    };

    private readonly Option<string> _maxBytes = new("--max-bytes")
    {
        HelpName = "SIZE",
        Description = "End a tool that writes more than this, like 10M",
    };

    private readonly Option<bool> _follow = new("--follow", "-f")
    {
        Description = "Containers that start later and match join, until Ctrl-C or --deadline",
    };

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "Only show in which containers the tool would run",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_parallel, _perNode, _canary, _maxFailures, _deadline, _maxBytes, _follow, _dryRun])
            command.Add(option);
    }

    public bool IsDryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    /// <exception cref="CrashcartException">A value makes no sense.</exception>
    public void Read(ParseResult parsed, RunRequest into)
    {
        into.Parallel = Count(parsed, _parallel);
        into.ParallelPerNode = Count(parsed, _perNode);
        into.Canary = Count(parsed, _canary);
        into.MaxFailures = parsed.GetValue(_maxFailures) is { } share ? Quantities.Share("--max-failures", share) : null;
        into.DeadlineMs = parsed.GetValue(_deadline) is { } deadline ? (ulong)Quantities.Duration("--deadline", deadline).TotalMilliseconds : 0;
        into.MaxBytes = parsed.GetValue(_maxBytes) is { } bytes ? (ulong)Quantities.Bytes("--max-bytes", bytes) : 0;
        if (parsed.GetValue(_follow))
            into.Mode = RunMode.Follow;
        if (!parsed.GetValue(_dryRun))
            return;
        if (into.Mode == RunMode.Follow)
            throw new CrashcartException(FailureReason.BadRequest, "--dry-run shows what matches now, and --follow waits for what will; give one of them.");
        into.Mode = RunMode.DryRun;
    }

    private static uint Count(ParseResult parsed, Option<string> option) =>
        parsed.GetValue(option) is { } text ? Quantities.Count(option.Name, text) : 0;
}
