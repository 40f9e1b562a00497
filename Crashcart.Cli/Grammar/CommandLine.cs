using System.CommandLine;
using System.Reflection;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Grammar;

/// <summary>From the words of the command line to the command that they name, and to its exit status.</summary>
internal static class CommandLine
{
    /// <summary>
    /// A first word that is a command's name is that command; anything else is the original grammar, where it is a target.
    /// </summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> words)
    {
        try
        {
            switch (words)
            {
                case []:
                    StandardText.Error(HelpText.OfProgram());
                    return ExitStatus.Failed;
                case ["-h" or "--help", ..]:
                case ["help"]:
                    StandardText.Output(HelpText.OfProgram());
                    return ExitStatus.Success;
                case ["help", var name, ..] when CommandTable.Find(name) is not null:
                    return await RunAsync([.. words.Skip(1), "--help"]);
                case ["--version"]:
                    StandardText.Output($"crashcart {Version()}\n");
                    return ExitStatus.Success;
                case [CompletionCommand.Question, ..]:
                    return await CompletionCommand.AnswerAsync([.. words.Skip(1)]);
            }

            return CommandTable.Find(words[0]) is { } command
                ? await RunAsync(command, command.Name, words.Skip(1).ToList())
                : await RunAsync(OriginalCommand.Create(), "crashcart", words);
        }
        catch (Exception e)
        {
            return Failures.Report(e);
        }
    }

    /// <summary>Runs a command of the tree below <paramref name="command"/>.</summary>
    /// <param name="path">The words that led to it, as help and errors name it.</param>
    private static async Task<int> RunAsync(Command command, string path, IReadOnlyList<string> words)
    {
        // A command that does something by itself has options before a word of its own.
        if (command.Subcommands.Count > 0 && !(command.Action is not null && (words is [] || words[0].StartsWith('-'))))
        {
            if (words is [] or ["-h" or "--help", ..])
            {
                Action<string> print = words is [] ? StandardText.Error : StandardText.Output;
                print(HelpText.Of(command, path));
                return words is [] ? ExitStatus.Failed : ExitStatus.Success;
            }

            var next = command.Subcommands.FirstOrDefault(c => c.Name == words[0]) ?? throw new CrashcartException(
                FailureReason.BadRequest,
                $"'crashcart {path}' has no command '{SafeText.Of(words[0])}'"
                + $"{Suggestion.For(words[0], command.Subcommands.Select(c => c.Name))}; see {HelpText.Hint(path)}.");
            return await RunAsync(next, $"{path} {next.Name}", words.Skip(1).ToList());
        }

        if (WordOrder.Arrange(command, path, words) is not { } arranged)
        {
            StandardText.Output(HelpText.Of(command, path));
            return ExitStatus.Success;
        }

        var parsed = command.Parse(arranged, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors is [var error, ..])
            throw new CrashcartException(
                FailureReason.BadRequest, $"{SafeText.Of(error.Message).TrimEnd('.')}; see {HelpText.Hint(path)}.");

        // Signals are the sessions' business, and failures are told in one place: here, above.
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    // VERSION+COMMIT, when it was built in a repository.
    public static string Version()
    {
        var parts = typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+');
        return parts is [var version, { Length: >= 12 } commit] ? $"{version} ({commit[..12]})" : parts[0];
    }
}
