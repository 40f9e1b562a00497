using System.Globalization;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Remote;

/// <summary>Follows one run in many targets: their output, and in the end who failed and why.</summary>
/// <param name="output">For the tools' standard output.</param>
/// <param name="error">For the tools' standard error.</param>
/// <param name="colourOutput">Labels on <paramref name="output"/> are coloured.</param>
/// <param name="colourError">Labels on <paramref name="error"/> are coloured.</param>
/// <param name="tell">Takes our own sentences: what was lost, and the summary.</param>
/// <param name="outputIsTerminal">Nothing but text and colours goes to <paramref name="output"/>.</param>
/// <param name="errorIsTerminal">As for <paramref name="error"/>.</param>
internal sealed class FleetRun(
    Stream output, Stream error, bool colourOutput, bool colourError, Action<string> tell,
    bool outputIsTerminal = false, bool errorIsTerminal = false)
{
    private readonly List<(string Who, string Why)> _failures = [];
    private TargetLabels _labels = new([], false, false);
    private LineOutput? _lines;
    private RunOutcome? _outcome;
    private bool _begun;

    /// <summary>Tells who waits for an image.</summary>
    public ImageWait Wait { get; init; } = new(_ => { }, isTerminal: false);

    /// <summary>Takes whether nothing runs yet that could be interrupted.</summary>
    public Action<bool> Waiting { get; init; } = _ => { };

    /// <returns>The run's exit status.</returns>
    public async Task<int> FollowAsync(IAsyncEnumerable<RunEvent> events)
    {
        CrashcartException? lost = null;
        try
        {
            await foreach (var step in events)
                On(step);
        }
        catch (CrashcartException e) when (_outcome is not null)
        {
            lost = e;
        }

        if (_outcome is null || _lines is null)
            throw new CrashcartException(FailureReason.Unavailable, "The coordinator ended the run before it began; look at its log.");
        Wait.Clear();
        foreach (var target in _outcome.Lost.ToList())
        {
            _lines.Complete(target);
            _failures.Add((_labels.Name(target), "Lost before its end was known."));
        }

        Summarize(lost);
        return _outcome.Status;
    }

    private void On(RunEvent step)
    {
        if (step.EventCase == RunEvent.EventOneofCase.Started)
            OnStarted(step.Started);
        else if (step.EventCase == RunEvent.EventOneofCase.SessionWaits)
            OnWaits(step.SessionWaits);
        else if (_outcome is null || _lines is null)
            throw new CrashcartException(FailureReason.Unavailable, "The coordinator's answer does not begin with the run's targets; it is of another version.");
        else if (step.EventCase == RunEvent.EventOneofCase.SessionStarted)
            GoesOn((int)step.SessionStarted.Target);
        else if (step.EventCase == RunEvent.EventOneofCase.Output)
            OnOutput(step.Output, _lines);
        else if (step.EventCase == RunEvent.EventOneofCase.SessionEnded)
            OnSessionEnded(step.SessionEnded, _lines, _outcome);
    }

    private void OnWaits(SessionWaits waits)
    {
        Wait.On(_labels.Node((int)waits.Target), waits.Image, waits.Received, waits.Size);
        Waiting(!_begun);
    }

    private void GoesOn(int target)
    {
        _begun = true;
        Waiting(false);
        Wait.Done(_labels.Node(target));
    }

    private void OnOutput(Api.Output printed, LineOutput lines)
    {
        Wait.Clear();
        lines.Write((int)printed.Target, printed.Stderr, printed.Data.Span);
    }

    private void OnStarted(RunStarted started)
    {
        _labels = new TargetLabels(started.Targets, colourOutput, colourError);
        _lines = new LineOutput(output, error, _labels, outputIsTerminal, errorIsTerminal);
        _outcome = new RunOutcome(started.Targets.Count, started.Unanswered.Count);
        _failures.AddRange(started.Unanswered.Select(node => (SafeText.Of(node.Node), SafeText.Of(node.Message))));
    }

    private void OnSessionEnded(SessionEnded ended, LineOutput lines, RunOutcome outcome)
    {
        var target = (int)ended.Target;
        GoesOn(target);
        Wait.Clear();
        lines.Complete(target);
        if (ended.OutcomeCase == SessionEnded.OutcomeOneofCase.ExitCode)
        {
            outcome.Exited(target, ended.ExitCode);
            if (ended.ExitCode != 0 || ended.Why.Length > 0)
                _failures.Add((_labels.Name(target), string.Create(CultureInfo.InvariantCulture, $"Exit status {ended.ExitCode}. {SafeText.Of(ended.Why)}").TrimEnd()));
            return;
        }

        outcome.Failed(target, ended.Failure.ExitCode);
        var failure = (Who: _labels.Name(target), Why: SafeText.Of(ended.Failure.Message));
        _failures.Add(failure);
        // The others may run for hours, and who watches them must not take silence for quiet.
        if (ended.Failure.ExitCode == ExitStatus.Failed && outcome.Lost.Any())
            tell($"crashcart: {failure.Who}: {failure.Why}\n");
    }

    private void Summarize(CrashcartException? lost)
    {
        if (lost is not null)
            tell($"crashcart: {SafeText.Of(lost.Message)}\n");
        if (_outcome!.Status == ExitStatus.NothingMatched)
            tell("crashcart: No running container matches; 'crashcart ps --label SELECTOR' shows what a selector matches.\n");
        if (_failures.Count == 0)
            return;
        var width = _failures.Max(failure => failure.Who.Length);
        tell($"crashcart: {_failures.Count} failed:\n"
            + string.Concat(_failures.Select(failure => $"  {failure.Who.PadRight(width)}  {failure.Why}\n")));
    }
}
