using System.CommandLine;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Local;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>The original's grammar: <c>crashcart [-i IMAGE] [-m|-u|-e] [-v] ID [--] [CMD…]</c>.</summary>
internal static class OriginalCommand
{
    public static Command Create()
    {
        var command = new Command("crashcart", "Run a tool in one container; or only mount or unmount the toolbox there.");
        var id = new Argument<string>("ID");
        var tool = new ToolArgument("CMD…", required: false);
        var image = CommonOptions.Image();
        var mount = new Option<bool>("--mount", "-m") { Description = "Only mount the image" };
        var unmount = new Option<bool>("--unmount", "-u") { Description = "Only unmount the image" };
        var exec = new Option<bool>("--exec", "-e") { Description = "Run the tool by 'docker exec'" };
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Say on standard error what is done" };
        command.Add(id);
        command.Add(tool);
        command.Add(image);
        command.Add(mount);
        command.Add(unmount);
        command.Add(exec);
        command.Add(verbose);

        command.SetAction((parsed, _) =>
        {
            var target = parsed.GetValue(id)!;
            var words = parsed.GetValue(tool) ?? [];
            Action<string>? say = parsed.GetValue(verbose) ? StandardText.Complain : null;
            var action = (parsed.GetValue(mount), parsed.GetValue(unmount), parsed.GetValue(exec)) switch
            {
                (true, false, false) when words.Length == 0 => MountCommand.RunAsync(target, parsed.GetValue(image), at: default, say),
                (false, true, false) when words.Length == 0 => UnmountCommand.RunAsync(target, force: false, at: default, say),
                (false, false, true) => DockerExec.RunAsync(target, parsed.GetValue(image), words, say),
                (false, false, false) => ExecCommand.RunHereAsync(target, parsed.GetValue(image), allowHost: false, Request(words), say),
                (true, false, false) or (false, true, false) => throw Wrong("Options -m and -u run no command; leave it out."),
                _ => throw Wrong("Options -m, -u and -e exclude each other; give one of them."),
            };
            return OrMeantCommandAsync(action, target);
        });
        return command;
    }

    private static SessionRequest Request(string[] words)
    {
        var terminal = ExecCommand.HasTerminal();
        return new SessionRequest
        {
            Tool = words.Length > 0 ? words : ExecCommand.Shell,
            Terminal = terminal,
            Environment = SessionRequest.TerminalType(terminal),
        };
    }

    // A mistyped command is taken for a target, of which there is none.
    private static async Task<int> OrMeantCommandAsync(Task<int> action, string target)
    {
        try
        {
            return await action;
        }
        catch (CrashcartException e) when (
            e.Reason is FailureReason.TargetGone or FailureReason.Unavailable && Suggestion.Nearest(target, CommandTable.Names) is not null)
        {
            throw new CrashcartException(e.Reason, $"{e.Message.TrimEnd('.')}; nor is '{target}' a command{Suggestion.For(target, CommandTable.Names)}.", e);
        }
    }

    private static CrashcartException Wrong(string sentence) => new(FailureReason.BadRequest, sentence);
}
