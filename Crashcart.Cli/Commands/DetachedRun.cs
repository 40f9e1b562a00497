using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>Starts a run that goes on by itself, and prints its id.</summary>
internal static class DetachedRun
{
    /// <param name="form">The option for a form of output that was given with it, or null.</param>
    /// <exception cref="CrashcartException">Something was asked for that only somebody who waits can have.</exception>
    public static void Check(RunRequest request, string? form)
    {
        if (request.Tool.Stdin)
            throw Wrong("A run that is left alone has no standard input: give --detach or --stdin.");
        if (request.Mode == RunMode.DryRun)
            throw Wrong("--dry-run only shows where the tool would run, and leaves nothing to detach from: give one of them.");
        if (request.Mode == RunMode.Follow && request.DeadlineMs == 0)
            throw Wrong("With --detach and --follow the run would go on for ever: give it a --deadline.");
        if (form is not null)
            throw Wrong($"With --detach nothing but the run's id is printed: give {form} to 'crashcart runs logs'.");
    }

    /// <returns>The exit status: 0 when the run has begun.</returns>
    public static async Task<int> StartAsync(RunRequest request, CoordinatorAddress address)
    {
        request.Detach = true;
        var threshold = request.Ask ? Confirmation.Threshold() : 0;
        using var client = new CoordinatorClient(address);
        using var call = new RunCall(client);
        return await call.RunAsync(request, ImageWait.OnStandardError(), async events =>
        {
            RunStarted? started = null;
            var hasBegun = false;
            await foreach (var step in events)
            {
                if (step.Started is not null)
                {
                    started = step.Started;
                    FleetRunner.Tell(request.Selection, started);
                    await FleetRunner.ConfirmAsync(call, request, started, threshold);
                }

                hasBegun |= step.EventCase == RunEvent.EventOneofCase.Ended;
            }

            if (started is null || !hasBegun)
                throw new CrashcartException(FailureReason.Unavailable, "The coordinator ended the run before it began; look at its log.");
            foreach (var silent in started.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            return Tell(request, started);
        });
    }

    private static int Tell(RunRequest request, RunStarted started)
    {
        if (started.Targets.Count == 0 && request.Mode != RunMode.Follow)
        {
            StandardText.Complain("No running container matches; 'crashcart ps --label SELECTOR' shows what a selector matches.");
            return started.Unanswered.Count > 0 ? ExitStatus.Failed : ExitStatus.NothingMatched;
        }

        StandardText.Output(started.RunId + "\n");
        return ExitStatus.Success;
    }

    private static CrashcartException Wrong(string sentence) => new(FailureReason.BadRequest, sentence);
}
