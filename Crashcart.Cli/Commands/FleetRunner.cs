using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Runs;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>Runs a tool in the fleet and follows it to its end, or shows where it would run.</summary>
internal static class FleetRunner
{
    /// <param name="create">The output's form; not called for a dry run.</param>
    /// <returns>The run's exit status.</returns>
    public static Task<int> RunAsync(RunRequest request, Func<IRunOutput> create, CoordinatorAddress address) =>
        request.Mode == RunMode.DryRun ? DryRunAsync(request, address) : RunAsync(request, create(), address);

    private static async Task<int> RunAsync(RunRequest request, IRunOutput output, CoordinatorAddress address)
    {
        using var owned = output as IDisposable;
        using var client = new CoordinatorClient(address);
        using var call = new RunCall(client);
        var threshold = request.Ask ? Confirmation.Threshold() : 0;
        var run = new FleetRun(output, StandardText.Error)
        {
            Wait = ImageWait.OnStandardError(),
            Waiting = call.IsWaiting,
            Status = new RunStatus(StatusLine.OnStandardError),
            IsFollowing = request.Mode == RunMode.Follow,
            IsSummarized = UserTerminal.IsTerminal(2),
            OnTargets = OnTargetsAsync,
        };
        return await call.RunAsync(request, run.Wait, run.FollowAsync);

        async Task OnTargetsAsync(RunStarted started)
        {
            Tell(request.Selection, started);
            await ConfirmAsync(call, request, started, threshold);
            if (request.Tool.Stdin)
                ClientInput.Start(call, _ => { });
        }
    }

    /// <summary>Asks the person, if there are very many, and then lets a run begin that waits for that.</summary>
    /// <exception cref="CrashcartException">It is not wanted.</exception>
    public static async Task ConfirmAsync(RunCall call, RunRequest request, RunStarted started, uint threshold)
    {
        if (!request.Ask)
            return;
        if (started.Targets.Count > threshold)
        {
            call.IsWaiting(true);
            if (!Confirmation.Ask(request.Tool.Argv[0], started.Targets))
                throw new CrashcartException(FailureReason.BadRequest, "Nothing was run; --yes runs it without a question.");
            call.IsWaiting(false);
        }

        await call.SendAsync(new RunInput { Begin = new RunBegin() });
    }

    /// <summary>The containers in which a run would have run its tool.</summary>
    private static async Task<int> DryRunAsync(RunRequest request, CoordinatorAddress address)
    {
        request.Ask = false;
        using var client = new CoordinatorClient(address);
        using var call = new RunCall(client);
        return await call.RunAsync(request, ImageWait.OnStandardError(), async events =>
        {
            RunStarted? started = null;
            await foreach (var step in events)
                started ??= step.Started;
            if (started is null)
                throw new CrashcartException(FailureReason.Unavailable, "The coordinator ended the run before it began; look at its log.");
            Tell(request.Selection, started);
            StandardText.Output(TextTable.Of(PsCommand.Headings, started.Targets.Select(target => PsCommand.Row(target, DateTimeOffset.UtcNow))));
            foreach (var silent in started.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            return started.Unanswered.Count > 0 ? ExitStatus.Failed
                : started.Targets.Count == 0 ? ExitStatus.NothingMatched
                : ExitStatus.Success;
        });
    }

    /// <summary>Which choice was made of what matches, so that it can be made again.</summary>
    public static void Tell(Selection? selection, RunStarted started)
    {
        if (selection is null || started.Matched <= started.Targets.Count)
            return;
        StandardText.Complain(selection.Sample is null
            ? $"{started.Targets.Count} of the {started.Matched} containers that match"
            : $"{started.Targets.Count} of the {started.Matched} containers that match, drawn with --seed {selection.SampleSeed}");
    }
}
