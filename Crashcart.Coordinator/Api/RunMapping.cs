using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Policies;
using Crashcart.Api;
using Crashcart.Coordinator.Policies;
using Grpc.Core;
using ApiRunMode = Crashcart.Api.RunMode;
using RunMode = Crashcart.Actors.Fleet.RunMode;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>From what a client asks for to the plan of a run.</summary>
internal static class RunMapping
{
    /// <summary>Of each session of a run that is kept, when its client does not say.</summary>
    private const long KeptBytes = 64 << 20;

    /// <exception cref="RpcException">It makes no sense.</exception>
    public static RunPlan ToPlan(RunRequest request, string by)
    {
        if (request.Tool is not { Argv.Count: > 0 })
            throw Invalid("A run needs a tool.");
        RunTargets targets = ToTargets(request.TargetsCase == RunRequest.TargetsOneofCase.Container ? request.Container : null, request.Selection);
        var plan = new RunPlan(RunId.New(), targets, ApiMapping.ToWire(request.Tool))
        {
            FanOut = new FanOut
            {
                Parallel = ToInt(request.Parallel),
                PerNode = ToInt(request.ParallelPerNode),
                Canary = ToInt(request.Canary),
                MaxFailures = request.MaxFailures is { } limit ? new FailureLimit(ToInt(limit.Value), limit.Percent) : null,
            },
            Timeout = ToTime(request.TimeoutMs),
            Deadline = ToTime(request.DeadlineMs),
            Mode = request.Mode switch
            {
                ApiRunMode.Once => RunMode.Once,
                ApiRunMode.Follow => RunMode.Follow,
                ApiRunMode.DryRun => RunMode.DryRun,
                _ => throw Invalid("The run's mode is unknown; the client is of another version."),
            },
            Asks = request.Ask,
            By = by,
            Keep = request.Detach ? new RunKeep(request.MaxBytes == 0 ? KeptBytes : (long)Math.Min(request.MaxBytes, long.MaxValue)) : null,
        };
        if (plan.Keep is not null && (plan.Tool.Stdin || plan.Tool.Terminal is not null || plan.Mode == RunMode.DryRun))
            throw Invalid("A run that is detached has nobody who could give it input or a terminal, and runs: no standard input, no terminal, no dry run.");
        if (plan is { Keep: not null, Mode: RunMode.Follow, Deadline: null })
            throw Invalid("A run that is detached and follows would never end; give it a deadline.");
        if (plan.Mode == RunMode.Follow && (targets is not RunTargets.Selected { Sample: null, Limit: 0 } || plan.Tool.Stdin || plan.FanOut.Canary > 0))
            throw Invalid("A run that follows takes all that match: no single container, sample, limit, canary or standard input.");
        return plan;
    }

    /// <summary>What the policy is asked about a run before its containers are known.</summary>
    /// <param name="question">By whom.</param>
    /// <exception cref="RpcException">It makes no sense.</exception>
    public static PolicyQuestion ToQuestion(PolicyQuestion question, RunRequest request, RunProfile profile) => question with
    {
        Tool = request.Tool.Argv[0],
        Profile = profile.With(request.Tool.CapAdd),
        Definition = profile.Definition,
        Image = ToImage(request.Image),
    };

    /// <summary>An image as rules write it; null when it is named by its digest, or by nobody: then its name is not known.</summary>
    public static string? ToImage(string reference) =>
        ImageReference.TryParse(reference, out _) is ImageReference.Named { Name: var name } ? name.Value : null;

    /// <exception cref="RpcException">It makes no sense.</exception>
    public static RunTargets ToTargets(string? container, Selection? selection)
    {
        if (container is { Length: > 0 })
            return RunTargets.One.Parse(container);
        if (selection is null)
            throw Invalid("Give a container or a selection.");
        RequireSelector(selection.Selector);
        return new RunTargets.Selected(selection.Selector, selection.Node)
        {
            Filter = new ContainerFilter(selection.Name, selection.Image, selection.Runtime),
            Sample = selection.Sample is { } sample ? new TargetSample(ToInt(sample.Value), sample.Percent, selection.SampleSeed) : null,
            Limit = ToInt(selection.Limit),
        };
    }

    /// <exception cref="RpcException">It is malformed.</exception>
    public static void RequireSelector(string text)
    {
        if (!Selector.TryParse(text, out _, out string problem))
            throw Invalid($"The selector '{text}' is malformed {problem}.");
    }

    public static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));

    private static int ToInt(uint value) => (int)Math.Min(value, int.MaxValue);

    private static TimeSpan? ToTime(ulong ms) => ms == 0 ? null : TimeSpan.FromMilliseconds(Math.Min(ms, (double)int.MaxValue));
}
