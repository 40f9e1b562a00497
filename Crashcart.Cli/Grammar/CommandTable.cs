using System.CommandLine;
using Crashcart.Cli.Commands;

namespace Crashcart.Cli.Grammar;

/// <summary>The commands by name. Only the one that is asked for is made.</summary>
internal static class CommandTable
{
    public static IReadOnlyList<(string Name, Func<Command> Create)> All { get; } =
    [
        ("exec", ExecCommand.Create),
        ("cp", CpCommand.Create),
        ("mount", MountCommand.Create),
        ("unmount", UnmountCommand.Create),
        ("mounts", MountsCommand.Create),
        ("sessions", SessionsCommand.Create),
        ("runs", RunsCommand.Create),
        ("kill", KillCommand.Create),
        ("nodes", NodesCommand.Create),
        ("ps", PsCommand.Create),
        ("cordon", CordonCommands.Cordon),
        ("uncordon", CordonCommands.Uncordon),
        ("drain", CordonCommands.Drain),
        ("fleet", FleetCommand.Create),
        ("image", ImageCommand.Create),
        ("audit", AuditCommand.Create),
        ("recordings", RecordingsCommand.Create),
        ("context", ContextCommand.Create),
        ("policy", PolicyCommand.Create),
        ("completion", CompletionCommand.Create),
    ];

    public static IEnumerable<string> Names => All.Select(command => command.Name);

    /// <summary>The command, or null when the word is none and so names a target.</summary>
    public static Command? Find(string name) => All.FirstOrDefault(command => command.Name == name).Create?.Invoke();
}
