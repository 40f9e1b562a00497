using System.CommandLine;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Grammar;

/// <summary>
/// Decides what each word is, before anything is parsed, so that a tool's flags can never be taken for ours: options come
/// out first, each as one word with its value, then <c>--</c>, then operands and the tool's words, untouched.
/// </summary>
internal static class WordOrder
{
    /// <returns>The words in order, or null when they ask for help.</returns>
    /// <exception cref="CrashcartException">An option that the command does not have, one without its value, or a word missing or too many.</exception>
    public static IReadOnlyList<string>? Arrange(Command command, string path, IReadOnlyList<string> words)
    {
        var options = new List<string>();
        var operands = new List<string>();
        // Operands up to the tool. Without a tool they may stand anywhere between the options.
        var operandsBeforeTool = command.Arguments is [.., ToolArgument] ? command.Arguments.Count - 1 : int.MaxValue;

        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "--")
            {
                operands.AddRange(words.Skip(i + 1));
                break;
            }

            if (word.Length < 2 || word[0] != '-')
            {
                if (operands.Count == operandsBeforeTool)
                {
                    operands.AddRange(words.Skip(i));
                    break;
                }

                operands.Add(word);
                continue;
            }

            if (word is "-h" or "--help")
                return null;
            var next = i + 1 < words.Count ? words[i + 1] : null;
            var (found, nextIsUsed) = word[1] == '-' ? ReadLong(command, path, word, next) : ReadShort(command, path, word, next);
            options.AddRange(found);
            if (nextIsUsed)
                i++;
        }

        RequireOperands(command, path, operands.Count);
        return [.. options, "--", .. operands];
    }

    /// <summary>The option whose value the word after it is, or null when it is not.</summary>
    public static Option? WantsNext(Command command, string word)
    {
        if (word.StartsWith("--", StringComparison.Ordinal))
            return word.Contains('=', StringComparison.Ordinal) ? null : Named(word);
        for (var k = 1; k < word.Length; k++)
        {
            if (Named($"-{word[k]}") is { } option)
                return k == word.Length - 1 ? option : null;
        }

        return null;

        Option? Named(string name) => Find(command, name) is { } option && TakesValue(option) ? option : null;
    }

    private static void RequireOperands(Command command, string path, int given)
    {
        if (command.Arguments.Where(argument => argument.Arity.MinimumNumberOfValues > 0).Skip(given).FirstOrDefault() is { } missing)
            throw Wrong(path, $"{missing.HelpName ?? missing.Name} is missing");
        if (command.Arguments.Sum(argument => (long)argument.Arity.MaximumNumberOfValues) < given)
            throw Wrong(path, "There is a word too many");
    }

    private static (IEnumerable<string> Options, bool NextIsUsed) ReadLong(Command command, string path, string word, string? next)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? word : word[..equals];
        var option = Find(command, path, name);
        if (!TakesValue(option))
            return equals < 0 ? ([option.Name], false) : throw Wrong(path, $"Option {name} takes no value");
        if (equals >= 0)
            return (Words(option, word[(equals + 1)..]), false);
        return (Words(option, next ?? throw NoValue(path, option, name)), true);
    }

    // A cluster: -it is -i -t; what follows an option that takes a value is its value, as in -uroot.
    private static (IEnumerable<string> Options, bool NextIsUsed) ReadShort(Command command, string path, string word, string? next)
    {
        var found = new List<string>();
        for (var k = 1; k < word.Length; k++)
        {
            var option = Find(command, path, $"-{word[k]}");
            if (!TakesValue(option))
            {
                found.Add(option.Name);
                continue;
            }

            var attached = word[(k + 1)..];
            found.AddRange(Words(option, attached.Length > 0 ? attached : next ?? throw NoValue(path, option, $"-{word[k]}")));
            return (found, attached.Length == 0);
        }

        return (found, false);
    }

    private static IEnumerable<string> Words(Option option, string value) =>
        value.Length == 0 ? [option.Name, ""] : [$"{option.Name}={value}"];

    private static bool TakesValue(Option option) => option.ValueType != typeof(bool);

    private static Option Find(Command command, string path, string name) =>
        Find(command, name) ?? throw Wrong(
            path,
            $"There is no option {SafeText.Of(name)}"
            + Suggestion.For(name, command.Options.SelectMany(option => option.Aliases.Append(option.Name))));

    private static Option? Find(Command command, string name) =>
        command.Options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));

    private static CrashcartException NoValue(string path, Option option, string name) =>
        Wrong(path, $"Option {name} needs a value{(option.HelpName is { } value ? $": {name} {value}" : "")}");

    private static CrashcartException Wrong(string path, string problem) =>
        new(FailureReason.BadRequest, $"{problem}; see {HelpText.Hint(path)}.");
}
