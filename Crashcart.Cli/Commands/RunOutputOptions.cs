using System.CommandLine;
using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Runs;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>The options that choose the form of a run's output: prefixed lines, or one of the others.</summary>
internal sealed class RunOutputOptions
{
    private readonly Option<bool> _group = new("--group", "-g")
    {
        Description = "When all is over, show equal outputs once, with the names of those that wrote them",
    };

    private readonly Option<bool> _diff = new("--diff")
    {
        Description = "As --group, and of smaller groups only how they differ from the largest",
    };

    private readonly Option<string> _directory = new("--output-dir")
    {
        HelpName = "DIR",
        Description = "Write NODE/CONTAINER.stdout, .stderr and .exit, exact bytes, and run.json about all",
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "One JSON object a line, of type target, output, exit or run",
    };

    private readonly Option<bool> _raw = new("--raw")
    {
        Description = "Exact bytes and nothing else; those of several containers as they come",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_group, _diff, _directory, _json, _raw])
            command.Add(option);
    }

    /// <summary>The option that was given, or null.</summary>
    public string? Chosen(ParseResult parsed) =>
        ((Option[])[_group, _diff, _directory, _json, _raw]).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;

    /// <exception cref="CrashcartException">Two forms at a time, or a directory that cannot be made.</exception>
    public Func<IRunOutput> Read(ParseResult parsed)
    {
        var directory = parsed.GetValue(_directory);
        var chosen = new (bool IsChosen, string Name, Func<IRunOutput> Create)[]
        {
            (parsed.GetValue(_group), "--group", () => Grouped(differences: false)),
            (parsed.GetValue(_diff), "--diff", () => Grouped(differences: true)),
            (directory is not null, "--output-dir", () => new DirectoryOutput(directory!)),
            (parsed.GetValue(_json), "--json", () => new JsonRunOutput(StandardStream.Output)),
            (parsed.GetValue(_raw), "--raw", () => new RawOutput(StandardStream.Output, StandardStream.Error)),
        }.Where(form => form.IsChosen).ToList();
        if (chosen.Count > 1)
            throw new CrashcartException(
                FailureReason.BadRequest, $"{string.Join(" and ", chosen.Select(form => form.Name))} are two forms of the same output; give one of them.");
        return chosen.Count == 1 ? chosen[0].Create : Prefixed;
    }

    private static PrefixedOutput Prefixed()
    {
        var labels = new TargetLabels(TargetLabels.IsColourful(1), TargetLabels.IsColourful(2));
        return new PrefixedOutput(
            new LineOutput(StandardStream.Output, StandardStream.Error, labels, UserTerminal.IsTerminal(1), UserTerminal.IsTerminal(2)), labels);
    }

    private static GroupedOutput Grouped(bool differences) => new(
        StandardStream.Output, StandardStream.Error, UserTerminal.IsTerminal(1), UserTerminal.IsTerminal(2), differences);
}
