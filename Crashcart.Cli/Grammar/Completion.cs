using System.CommandLine;
using System.Text.RegularExpressions;

namespace Crashcart.Cli.Grammar;

/// <summary>What a shell may put in the place of the last word, which its user has begun.</summary>
/// <remarks>
/// Nothing means that the shell names files. From a tool on, words are the tool's, and nothing is offered.
/// </remarks>
internal static partial class Completion
{
    /// <param name="words">The program's, the last of them begun or empty.</param>
    /// <param name="names">
    /// What there is by the name that help has for such a word, as NODE; its other argument is the value of <c>--coordinator</c>.
    /// </param>
    public static async Task<IReadOnlyList<string>> Of(IReadOnlyList<string> words, Func<string, string?, Task<IEnumerable<string>>> names)
    {
        var begun = words[^1];
        return [.. (await Candidates(words, names))
            .Where(candidate => candidate.StartsWith(begun, StringComparison.Ordinal) && IsPlain().IsMatch(candidate))
            .Distinct()
            .Order(StringComparer.Ordinal)];
    }

    // A shell may put it into the command line as it is: who names containers must not write commands there.
    [GeneratedRegex(@"\A[A-Za-z0-9_.,:@%+/=-]+\z")]
    private static partial Regex IsPlain();

    private static async Task<IEnumerable<string>> Candidates(IReadOnlyList<string> words, Func<string, string?, Task<IEnumerable<string>>> names)
    {
        if (words.Count == 1)
            return CommandTable.Names.Append("help").Append("--help").Append("--version");
        if (CommandTable.Find(words[0]) is not { } command)
            return words is ["help", _] ? CommandTable.Names : [];

        var at = 1;
        for (; at < words.Count - 1 && command.Subcommands.FirstOrDefault(sub => sub.Name == words[at]) is { } next; at++)
            command = next;
        var commands = at == words.Count - 1 ? command.Subcommands.Select(sub => sub.Name) : [];

        var operands = 0;
        string? coordinator = null;
        for (; at < words.Count - 1; at++)
        {
            if (words[at] == "--")
                return [];
            if (!words[at].StartsWith('-'))
            {
                if (IsTool(command, operands))
                    return [];
                operands++;
            }
            else if (WordOrder.WantsNext(command, words[at]) is { } option)
            {
                at++;
                if (at == words.Count - 1)
                    return await Values(option.HelpName, coordinator);
                if (option.Name == "--coordinator")
                    coordinator = words[at];
            }
        }

        if (words[^1].StartsWith('-'))
            return command.Options.Where(option => !option.Hidden).Select(option => option.Name).Append("--help");
        return commands.Concat(IsTool(command, operands) ? [] : await Values(Operand(command, operands), coordinator));

        async Task<IEnumerable<string>> Values(string? helpName, string? from) => helpName switch
        {
            null => [],
            _ when IsAlternatives().IsMatch(helpName) => helpName.Split('|'),
            _ => await names(helpName, from),
        };
    }

    // table|json, and not SESSION|RUN.
    [GeneratedRegex(@"\A[a-z0-9]+(\|[a-z0-9]+)+\z")]
    private static partial Regex IsAlternatives();

    private static bool IsTool(Command command, int operands) =>
        command.Arguments is [.., ToolArgument] && operands >= command.Arguments.Count - 1;

    private static string? Operand(Command command, int operands) =>
        (command.Arguments.ElementAtOrDefault(operands) ?? command.Arguments.LastOrDefault(last => last.Arity.MaximumNumberOfValues > 1)) is { } argument
            ? argument.HelpName ?? argument.Name
            : null;
}
