using System.CommandLine;
using Crashcart.Actors.Policies;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Coordinator.Policies;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart policy</c>: whether a policy is right, and what the one in force says.</summary>
internal static class PolicyCommand
{
    public static Command Create() => new("policy", """
        Who may do what in a fleet.

        Coordinators read a policy from the file that their --policy names; docs/policy.md says how it is written.
        """)
    {
        Check(),
        Explain(),
    };

    private static Command Check()
    {
        var command = new Command("check", """
            Say whether a coordinator would take a policy. None is asked.

            Exit status: 0 it would; 1 it would not, and FILE:LINE:COLUMN: says why; 125 it cannot be read.
            """);
        var file = new Argument<string>("FILE");
        command.Add(file);
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file)!;
            try
            {
                var policy = PolicyParser.Parse(File.ReadAllText(path), path);
                var profiles = policy.Profiles.Count > 0 ? $", {Count(policy.Profiles.Count, "profile")}" : "";
                StandardText.Output(SafeText.Of($"{path}: {Count(policy.Rules.Count, "rule")}{profiles}") + "\n");
                return ExitStatus.Success;
            }
            catch (PolicyException e)
            {
                StandardText.Error(SafeText.Of(e.Message) + "\n");
                return ExitStatus.NotVerified;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CrashcartException(FailureReason.BadRequest, $"The policy cannot be read: {e.Message}", e);
            }
        });
        return command;
    }

    private static Command Explain()
    {
        var command = new Command("explain", $"""
            Say what the coordinator's policy makes of a request, and which rule decides. Nothing is done.

            Verbs: {string.Join(", ", PolicyParser.Verbs.Keys)}.

            Exit status: 0 it is allowed; 1 it is denied; 125 the coordinator could not say.
            """);
        var who = new Option<string>("--as") { HelpName = "USER", Description = "Who asks: a user's name, or local:UID for the Unix socket", Required = true };
        var groups = new Option<string[]>("--group") { HelpName = "NAME", Description = "A group of the user's certificate; may be repeated" };
        var verb = new Option<string>("--verb") { HelpName = "VERB", Description = "What is asked for; exec by default" };
        var target = new Option<string>("--target") { HelpName = "NODE/CONTAINER", Description = "In which container, of those that run; or NODE alone with --verb nodes or cordon" };
        var image = new Option<string>("--image", "-i") { HelpName = "IMAGE", Description = "With which image of the fleet's; by default the one that the node was given" };
        var profile = new Option<string>("--profile") { HelpName = "NAME", Description = "With which capabilities; debug by default" };
        var tool = new Option<string>("--tool") { HelpName = "TOOL", Description = "Which tool, as it would be asked for" };
        var coordinator = CommonOptions.Coordinator();
        foreach (Option option in (Option[])[who, groups, verb, target, image, profile, tool, coordinator])
            command.Add(option);
        command.SetAction(async (parsed, _) =>
        {
            var request = new ExplainPolicyRequest
            {
                Subject = Subject(parsed.GetValue(who)!),
                Groups = { parsed.GetValue(groups) ?? [] },
                Verb = parsed.GetValue(verb) ?? PolicyVerb.Exec.ToText(),
                Target = parsed.GetValue(target) ?? "",
                Image = parsed.GetValue(image) ?? "",
                Profile = parsed.GetValue(profile) ?? "",
                Tool = parsed.GetValue(tool) ?? "",
            };
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Policies.ExplainAsync(request));
            StandardText.Output(SafeText.Of($"{(answer.Allowed ? "allowed" : "denied")}: {answer.Reason}") + "\n");
            return answer.Allowed ? ExitStatus.Success : ExitStatus.Denied;
        });
        return command;
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";

    private static string Subject(string who) => who.Contains(':', StringComparison.Ordinal) ? who : $"user:{who}";
}
