using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Runs;
using Crashcart.Native;

namespace Crashcart.Cli.Remote;

/// <summary>Follows one run in many targets: their output, and in the end who failed and why.</summary>
/// <param name="output">Where the tools' output goes.</param>
/// <param name="tell">Takes our own sentences: what was lost, and the summary.</param>
internal sealed class FleetRun(IRunOutput output, Action<string> tell)
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private readonly RunProgress _progress = new(TimeProvider.System);
    private readonly List<(string Who, string Why)> _silent = [];
    private RunOutcome? _outcome;
    private int _started;

    /// <summary>Tells who waits for an image.</summary>
    public ImageWait Wait { get; init; } = new(_ => { }, isTerminal: false);

    /// <summary>Takes whether nothing runs yet that could be interrupted.</summary>
    public Action<bool> Waiting { get; init; } = _ => { };

    /// <summary>Shows how the run goes.</summary>
    public RunStatus Status { get; init; } = new(new StatusLine(_ => { }, isTerminal: false));

    /// <summary>Called with the run's targets, before anything runs in them.</summary>
    public Func<RunStarted, Task> OnTargets { get; init; } = _ => Task.CompletedTask;

    /// <summary>The run goes on without targets, for some may come.</summary>
    public bool IsFollowing { get; init; }

    /// <summary>Tell how many, how long, and who was slowest.</summary>
    public bool IsSummarized { get; init; }

    /// <returns>The run's exit status.</returns>
    public async Task<int> FollowAsync(IAsyncEnumerable<RunEvent> events)
    {
        CrashcartException? lost = null;
        try
        {
            await ReadAsync(events);
        }
        catch (CrashcartException e) when (_outcome is not null && e.Reason == FailureReason.Unavailable)
        {
            lost = e;
        }

        if (_outcome is null)
            throw new CrashcartException(FailureReason.Unavailable, "The coordinator ended the run before it began; look at its log.");
        Clear();
        foreach (var target in _outcome.Lost.ToList())
            End(target, ExitStatus.Failed, "Lost before its end was known.");
        var status = _outcome.Status == ExitStatus.NothingMatched && IsFollowing ? ExitStatus.Success : _outcome.Status;
        output.Finish(_progress, status);
        Summarize(lost, status);
        return status;
    }

    private async Task ReadAsync(IAsyncEnumerable<RunEvent> events)
    {
        await using var each = events.GetAsyncEnumerator();
        var tick = Task.Delay(Tick);
        while (true)
        {
            var next = each.MoveNextAsync().AsTask();
            while (!next.IsCompleted && await Task.WhenAny(next, tick) == tick)
            {
                Status.Tick(_progress);
                output.Tick();
                tick = Task.Delay(Tick);
            }

            if (!await next)
                return;
            await OnAsync(each.Current);
        }
    }

    private Task OnAsync(RunEvent step)
    {
        if (step.EventCase == RunEvent.EventOneofCase.Started)
            return OnStartedAsync(step.Started);
        if (_outcome is null)
            throw new CrashcartException(FailureReason.Unavailable, "The coordinator's answer does not begin with the run's targets; it is of another version.");
        switch (step.EventCase)
        {
            case RunEvent.EventOneofCase.Joined:
                Add(step.Joined.Targets);
                _outcome.Add(step.Joined.Targets.Count);
                break;
            case RunEvent.EventOneofCase.SessionWaits:
                OnWaits(step.SessionWaits);
                break;
            case RunEvent.EventOneofCase.SessionStarted:
                _progress.Start((int)step.SessionStarted.Target);
                GoesOn((int)step.SessionStarted.Target);
                break;
            case RunEvent.EventOneofCase.Output:
                OnOutput(step.Output);
                break;
            case RunEvent.EventOneofCase.SessionEnded:
                OnSessionEnded(step.SessionEnded, _outcome);
                break;
            case RunEvent.EventOneofCase.Ended when step.Ended.Missing.Count > 0:
                _outcome.IsIncomplete();
                AddSilent(step.Ended.Missing);
                break;
        }

        return Task.CompletedTask;
    }

    private async Task OnStartedAsync(RunStarted started)
    {
        _progress.RunId = started.RunId;
        _outcome = new RunOutcome(started.Targets.Count, started.Unanswered.Count);
        AddSilent(started.Unanswered);
        // A person who says no finds every file as it was.
        await OnTargets(started);
        Add(started.Targets);
    }

    private void AddSilent(IEnumerable<Unanswered> nodes) =>
        _silent.AddRange(nodes.Select(node => (SafeText.Of(node.Node), SafeText.Of(node.Message))));

    private void Add(IEnumerable<Container> targets) => output.Add(_progress.Add(targets));

    private void OnWaits(SessionWaits waits)
    {
        Status.Clear();
        Wait.On(_progress[(int)waits.Target].Node, waits.Image, waits.Received, waits.Size);
        Waiting(_started == 0);
    }

    private void GoesOn(int target)
    {
        _started++;
        Waiting(false);
        Wait.Done(_progress[target].Node);
    }

    private void OnOutput(Api.Output printed)
    {
        var target = (int)printed.Target;
        Clear();
        _progress.Write(target, printed.Stderr, printed.Data.Length);
        output.Write(_progress[target], printed.Stderr, printed.Data.Span);
    }

    private void OnSessionEnded(SessionEnded ended, RunOutcome outcome)
    {
        var target = (int)ended.Target;
        GoesOn(target);
        Clear();
        if (ended.OutcomeCase == SessionEnded.OutcomeOneofCase.ExitCode)
        {
            outcome.Exited(target, ended.ExitCode);
            _progress[target].Note = SafeText.Of(ended.Why);
            End(target, ended.ExitCode, failure: null);
            return;
        }

        if (ended.OutcomeCase == SessionEnded.OutcomeOneofCase.GoesOn)
        {
            outcome.GoesOn(target);
            _progress[target].GoesOn = true;
            End(target, ExitStatus.Success, failure: null);
            return;
        }

        outcome.Failed(target, ended.Failure.ExitCode);
        End(target, ended.Failure.ExitCode, SafeText.Of(ended.Failure.Message));
        // The others may run for hours, and who watches them must not take silence for quiet.
        if (ended.Failure.ExitCode == ExitStatus.Failed && (IsFollowing || outcome.Lost.Any()))
            tell($"crashcart: {_progress[target].Name}: {_progress[target].Failure}\n");
    }

    private void End(int target, int exitCode, string? failure)
    {
        _progress.End(target, exitCode, failure);
        output.End(_progress[target]);
    }

    private void Clear()
    {
        Wait.Clear();
        Status.Yield(_progress.Now);
    }

    private void Summarize(CrashcartException? lost, int status)
    {
        if (lost is not null)
            tell($"crashcart: {SafeText.Of(lost.Message)}\n");
        if (status == ExitStatus.NothingMatched)
            tell("crashcart: No running container matches; 'crashcart ps --label SELECTOR' shows what a selector matches.\n");
        tell(RunSummary.Failures([
            .. _silent,
            .. _progress.Targets.Where(target => !target.IsWell || target.Note.Length > 0).OrderBy(target => target.Ended).Select(target => (target.Name, target.Problem))]));
        if (IsSummarized)
            tell(RunSummary.Course(_progress));
    }
}
