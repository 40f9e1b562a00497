using System.CommandLine;
using System.Text;

namespace Crashcart.Cli.Grammar;

/// <summary>Help as plain text of at most 100 columns, made from what the commands declare.</summary>
internal static class HelpText
{
    private const int Width = 100;

    public static string OfProgram()
    {
        var text = new StringBuilder("""
            crashcart puts a toolbox into running containers, on this host or anywhere in a fleet, without
            touching their images, restarting them or leaving anything behind.

            Usage:
              crashcart COMMAND [OPTIONS] …
              crashcart [-i IMAGE] [-m|-u|-e] [-v] ID [--] [CMD…]

            Commands:

            """);
        AppendList(text, CommandTable.All.SelectMany(entry => Leaves(entry.Create(), entry.Name))
            .Select(leaf => (leaf.Path, Summary(leaf.Command))));
        text.Append("""

            A first word that is no command is a target (ID), and the rest a tool: 'crashcart web tcpdump -ni any'.
            -m only mounts the toolbox, -u only unmounts it, -e runs the tool by 'docker exec', -v says what is
            done. From the tool on every word belongs to the tool, with or without --.

            Examples:
              crashcart exec web                              a shell in the container web, from the toolbox
              crashcart exec 4711 strace -f -p 1              trace the container that the process 4711 is in
              crashcart fleet exec --label app=web tcpdump -c 3 -ni any

            Settings: a flag, else the environment, else ~/.config/crashcart/config.yaml, else /etc/crashcart/*.yaml:
              --image, CRASHCART_IMAGE, image:                    /var/lib/crashcart/crashcart.img, then
                                                                  crashcart.img beside the program
              --coordinator, CRASHCART_COORDINATOR, coordinator:  unix:///run/crashcart/coordinator.sock
              DOCKER_HOST                                         unix:///var/run/docker.sock

            Exit status: the tool's own; 128 + N when signal N ended it; 125 crashcart refused or failed (a wrong
            option too), 126 the tool is not executable, 127 there is no such tool, 124 it ran out of time.

            See 'crashcart COMMAND --help'; 'crashcart --version' prints the version.

            """);
        return text.ToString();
    }

    public static string Of(Command command, string path)
    {
        var text = new StringBuilder();
        text.Append("Usage: ").Append(path == "crashcart" ? path : $"crashcart {path}");
        if (command.Subcommands.Count > 0)
            text.Append(command.Action is null ? " COMMAND" : " [COMMAND]");
        if (command.Options.Count > 0)
            text.Append(" [OPTIONS]");
        foreach (var argument in command.Arguments)
            text.Append(' ').Append(UsageOf(argument));
        text.Append("\n\n").Append(command.Description).Append('\n');

        if (command.Subcommands.Count > 0)
        {
            text.Append("\nCommands:\n");
            AppendList(text, command.Subcommands.Select(sub => (sub.Name, Summary(sub))));
        }

        if (command.Options.Count > 0)
        {
            text.Append("\nOptions:\n");
            AppendList(text, command.Options.Where(option => !option.Hidden).Select(option => (NamesOf(option), option.Description ?? "")));
        }

        return text.ToString();
    }

    /// <summary>How to ask for the help of the command at <paramref name="path"/>.</summary>
    public static string Hint(string path) => path == "crashcart" ? "'crashcart --help'" : $"'crashcart {path} --help'";

    private static IEnumerable<(string Path, Command Command)> Leaves(Command command, string path) => command.Subcommands.Count == 0
        ? [(path, command)]
        : [.. command.Action is null ? [] : new[] { (path, command) }, .. command.Subcommands.SelectMany(sub => Leaves(sub, $"{path} {sub.Name}"))];

    private static string Summary(Command command) => (command.Description ?? "").Split('\n')[0].TrimEnd('.');

    private static string UsageOf(Argument argument) => argument switch
    {
        ToolArgument { Arity.MinimumNumberOfValues: 0 } => $"[--] [{argument.HelpName}]",
        ToolArgument => $"[--] {argument.HelpName}",
        { Arity.MinimumNumberOfValues: 0 } => $"[{argument.HelpName ?? argument.Name}]",
        _ => argument.HelpName ?? argument.Name,
    };

    private static string NamesOf(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name).Distinct().OrderBy(name => name.Length));
        if (names.StartsWith("--", StringComparison.Ordinal))
            names = "    " + names;
        return option.HelpName is { } value ? $"{names} {value}" : names;
    }

    // Two columns; what is too long for the left one gets a line of its own.
    private static void AppendList(StringBuilder text, IEnumerable<(string Left, string Right)> rows)
    {
        var list = rows.ToList();
        var left = Math.Min(32, list.Max(row => row.Left.Length));
        foreach (var row in list)
        {
            text.Append("  ").Append(row.Left.PadRight(left));
            if (row.Left.Length > left)
                text.Append('\n').Append(' ', left + 2);
            var column = left + 2;
            foreach (var word in row.Right.Split(' '))
            {
                if (column + 1 + word.Length > Width)
                {
                    text.Append('\n').Append(' ', left + 2);
                    column = left + 2;
                }

                text.Append(column == left + 2 ? "  " : " ").Append(word);
                column += word.Length + 1;
            }

            text.Append('\n');
        }
    }
}
