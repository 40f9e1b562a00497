using System.Diagnostics;
using CsCheck;
using Xunit.Abstractions;

namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>
/// The owners of leases do what the model says in any course of events. A failure is told as the shortest course that was
/// found, with the seed for CsCheck_Seed.
/// </summary>
public sealed class LeaseModelSpec(ITestOutputHelper output)
{
    private const int Courses = 4_000;

    [Fact]
    public void Owners_grant_refuse_and_release_as_the_model_says() => Sample(course =>
    {
        var (rig, model) = (new LeaseRig(), new LeaseModel());
        foreach (var (command, i) in course.Select((command, i) => (command, i)))
        {
            var (expected, told) = (model.Apply(command), rig.Apply(command));
            Assert.True(expected.SequenceEqual(told), $"Step {i}, {command}: expected [{Join(expected)}], told [{Join(told)}]");
            Assert.True(
                model.UnderWay.SequenceEqual(rig.UnderWay),
                $"Step {i}, {command}: expected under way [{Join(model.UnderWay)}], is [{Join(rig.UnderWay)}]");
            Assert.True(
                model.Kernel.Mounts.SequenceEqual(rig.Mounts),
                $"Step {i}, {command}: expected mounts [{string.Join(", ", model.Kernel.Mounts)}], are [{string.Join(", ", rig.Mounts)}]");
            Assert.True(
                model.People.Leases.SequenceEqual(rig.Leases),
                $"Step {i}, {command}: expected leases [{string.Join(", ", model.People.Leases)}], are [{string.Join(", ", rig.Leases)}]");
        }

        rig.Rest();
    });

    [Fact]
    public void Owners_that_are_stopped_leave_nothing() => Sample(course =>
    {
        var rig = new LeaseRig();
        foreach (var command in course)
            rig.Apply(command);

        rig.Stop();

        rig.Rest();
    });

    private static string Join(IEnumerable<string> texts) => string.Join(", ", texts);

    private void Sample(Action<LeaseCommand[]> holds)
    {
        LeaseCommand[] failed = [];
        var start = Stopwatch.GetTimestamp();
        try
        {
            LeaseCommand.Courses.Sample(
                course =>
                {
                    if (Failure(course, holds) is not { } failure)
                        return;
                    failed = course;
                    throw failure;
                },
                output.WriteLine,
                iter: Courses,
                threads: 1,
                print: _ => "");
            output.WriteLine($"{Courses} courses in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s");
        }
        catch (CsCheckException e)
        {
            var shortest = Shorten(failed, holds);
            Assert.Fail($"{Failure(shortest, holds)?.Message}\n{string.Join("\n", shortest.AsEnumerable())}\n{e.Message}");
        }
    }

    private static Exception? Failure(LeaseCommand[] course, Action<LeaseCommand[]> holds)
    {
        // Continuations of what is outside run at once, not through a test's own context.
        SynchronizationContext.SetSynchronizationContext(null);
        return Record.Exception(() => holds(course));
    }

    /// <summary>Without each command that the failure does not need, and with the least numbers.</summary>
    private static LeaseCommand[] Shorten(LeaseCommand[] course, Action<LeaseCommand[]> holds)
    {
        while (Simpler(course).FirstOrDefault(simpler => Failure(simpler, holds) is not null) is { } simpler)
            course = simpler;
        return course;
    }

    // The last first: what they need comes before them.
    private static IEnumerable<LeaseCommand[]> Simpler(LeaseCommand[] course)
    {
        for (var i = course.Length - 1; i >= 0; i--)
        {
            yield return [.. course[..i], .. course[(i + 1)..]];
            if (course[i] is not LeaseCommand.Finish finish)
                continue;
            for (var which = 0; which < finish.Which; which++)
                yield return [.. course[..i], finish with { Which = which }, .. course[(i + 1)..]];
        }
    }
}
