using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;
using Google.Protobuf.Collections;
using Grpc.Core;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart runs</c>: the runs that go on, and those of which nodes keep the output.</summary>
internal static class RunsCommand
{
    private static readonly string[] Headings = ["RUN", "STATE", "AGE", "TOOL", "CONTAINERS", "RUNNING", "DONE", "FAILED", "OTHERS", "KEPT", "BY"];

    public static Command Create()
    {
        var command = new Command("runs", """
            List the runs that go on, and those that were detached and are kept on the hosts.

            STATE is running, done (the tool ended with 0 in every container), failed, or unknown, when not every
            host could say. OTHERS is in how many containers the tool has not begun; of a run that is over, in how
            many it never did, or nobody remembers it. Tools are named without their arguments, which may hold
            secrets. When a host or a coordinator did not answer, the exit status is 125.

            RUN is an id that 'crashcart runs' lists, or so much of its beginning as no other has.
            """);
        var format = CommonOptions.Format();
        var coordinator = CommonOptions.Coordinator();
        command.Add(format);
        command.Add(coordinator);
        command.Add(RunsLogsCommand.Create());
        command.Add(RunsLogsCommand.CreateWait());
        command.Add(CreateRemove());
        command.SetAction(async (parsed, _) =>
        {
            var isJson = Listing.IsJson(parsed, format);
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Runs.ListRunsAsync(new ListRunsRequest()));
            StandardText.Output(isJson
                ? JsonOutput.Of(answer.Runs, Write)
                : TextTable.Of(Headings, answer.Runs.Select(run => Row(run, DateTimeOffset.UtcNow))));
            return Complain(answer.Unanswered);
        });
        return command;
    }

    private static Command CreateRemove()
    {
        var command = new Command("rm", """
            Forget what the hosts keep of runs that are over.

            A run that goes on is refused; 'crashcart kill' ends it.

            Exit status: 0 they are forgotten; 3 there is no such run; 125 one goes on, or some host did not answer.
            """);
        var runs = new Argument<string[]>("RUN…") { HelpName = "RUN…", Arity = ArgumentArity.OneOrMore };
        var coordinator = CommonOptions.Coordinator();
        command.Add(runs);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var status = ExitStatus.Success;
            foreach (var id in parsed.GetValue(runs)!)
            {
                try
                {
                    var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Runs.RemoveRunAsync(new RemoveRunRequest { Id = id }));
                    StandardText.Output(answer.RunId + "\n");
                    status = Math.Max(status, Complain(answer.Unanswered));
                }
                catch (CrashcartException e) when (e.Reason == FailureReason.BadRequest)
                {
                    status = Math.Max(status, Report(e));
                }
            }

            return status;
        });
        return command;
    }

    /// <summary>Tells the person; a run that is not there is nothing that matched.</summary>
    internal static int Report(CrashcartException failure)
    {
        var status = Failures.Report(failure);
        return failure.InnerException is RpcException { StatusCode: StatusCode.NotFound } ? ExitStatus.NothingMatched : status;
    }

    private static int Complain(RepeatedField<Unanswered> unanswered)
    {
        foreach (var silent in unanswered)
            StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
        return unanswered.Count > 0 ? ExitStatus.Failed : ExitStatus.Success;
    }

    internal static IReadOnlyList<string> Row(RunInfo run, DateTimeOffset now) =>
    [
        run.RunId,
        run.State,
        HeldListing.Age(run.SinceUnixMs, now),
        run.Tool,
        Number(run.Targets),
        Number(run.Running),
        Number(run.Done),
        Number(run.Failed),
        Number(run.Others),
        run.Kept ? ByteSize.Of(run.Bytes) : "-",
        HeldListing.OrDash(run.By),
    ];

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static void Write(Utf8JsonWriter json, RunInfo run)
    {
        json.WriteString("run", run.RunId);
        json.WriteString("state", run.State);
        json.WriteString("since", DateTimeOffset.FromUnixTimeMilliseconds(run.SinceUnixMs));
        json.WriteString("tool", run.Tool);
        json.WriteString("by", run.By);
        json.WriteNumber("containers", run.Targets);
        json.WriteNumber("running", run.Running);
        json.WriteNumber("done", run.Done);
        json.WriteNumber("failed", run.Failed);
        json.WriteNumber("others", run.Others);
        json.WriteBoolean("kept", run.Kept);
        json.WriteNumber("keptBytes", run.Bytes);
    }
}
