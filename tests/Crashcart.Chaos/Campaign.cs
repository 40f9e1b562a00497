using System.Diagnostics;
using System.Globalization;
using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.Plans;
using Crashcart.Chaos.Rounds;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos;

/// <summary>Rounds one after the other, and what came of them.</summary>
internal static class Campaign
{
    /// <summary>So often the whole fleet has to come together again.</summary>
    private const int RoundsBetweenMusters = 10;

    /// <summary>What was left in a container that has ended no user clears away, but the node does, every minute.</summary>
    private static readonly TimeSpan ReconciliationPatience = TimeSpan.FromSeconds(100);

    public static async Task<int> Run(int seed, int first, int rounds, CancellationToken end)
    {
        Say($"Seed {seed}, rounds {first} to {first + rounds - 1}.");
        var clock = Stopwatch.StartNew();
        await using var fleet = await ChaosFleet.Start();
        await WarmUp(fleet);
        var expected = await Expectation.Look(fleet);
        var tally = new Tally();
        var pace = TimeSpan.Zero;
        Say(string.Create(CultureInfo.InvariantCulture, $"The fleet is up after {clock.Elapsed.TotalSeconds:0.0} s."));

        for (var number = first; number < first + rounds && !end.IsCancellationRequested; number++)
        {
            var plan = Planner.Plan(seed, number);
            var roundClock = Stopwatch.StartNew();
            var result = await new Round(plan, fleet, expected, pace).Run();
            pace = result.Pace;
            tally.Add(result, roundClock.Elapsed);
            Say(string.Create(CultureInfo.InvariantCulture,
                $"round {number}: {(result.Settled is { } settled ? $"as before after {settled.TotalMilliseconds:0} ms" : "NOT AS BEFORE")}, "
                + $"{roundClock.Elapsed.TotalSeconds:0.0} s ({result.Course}); {string.Join(", ", result.Faults)}"));
            if (result.Failures.Count > 0)
                Report(seed, plan, result, fleet);
            if (number % RoundsBetweenMusters == 0)
                await Muster(seed, number, fleet, expected, tally);
        }

        Console.WriteLine(tally);
        return tally.Failures == 0 ? 0 : 1;
    }

    /// <summary>Makes what Crashcart makes once and keeps, so that it is there before the first look.</summary>
    private static async Task WarmUp(ChaosFleet fleet)
    {
        foreach (var box in fleet.Boxes)
        {
            (await fleet.Undisturbed("mount", box.PidText).Run()).Succeeded();
            (await fleet.Undisturbed("unmount", box.PidText).Run()).Succeeded();
        }
        (await fleet.Undisturbed("fleet", "exec", "-l", "app=chaos", "--", "busybox", "true").Run()).Succeeded();
    }

    /// <summary>The whole fleet works again, and whoever uses a container clears away what was left there.</summary>
    private static async Task Muster(int seed, int number, ChaosFleet fleet, Expectation expected, Tally tally)
    {
        try
        {
            await fleet.IsWhole();
            (await fleet.Undisturbed("fleet", "exec", "-l", "app=chaos", "--", "busybox", "true").Run()).Succeeded();
            (await fleet.Undisturbed("fleet", "exec", "--shared", "-l", "app=chaos", "--", "busybox", "true").Run()).Succeeded();
            IReadOnlyList<string> left = [];
            await Eventually.Holds(() => (left = expected.NotCleared()).Count == 0, () => string.Join("\n", left), ReconciliationPatience);
        }
        catch (Exception e) when (e is TimeoutException or Xunit.Sdk.XunitException)
        {
            tally.Fail();
            Say($"FAILED (seed {seed}, round {number}): {e.Message}\n{await fleet.Containers()}\n{fleet.LogTails()}");
        }
    }

    private static void Report(int seed, RoundPlan plan, RoundResult result, ChaosFleet fleet)
    {
        Say($"FAILED: seed {seed}, round {plan.Number}\n{plan}\nhit: {string.Join(", ", result.Faults)}\n  "
            + $"{string.Join("\n  ", result.Failures)}\n--- the daemons' last words\n{fleet.LogTails()}\n---");
    }

    private static void Say(string line) => Console.WriteLine(line);
}
