using System.CommandLine;
using System.Globalization;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Identity;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart context</c>: which fleet commands go to, and as whom.</summary>
internal static class ContextCommand
{
    private static readonly string[] Headings = ["CURRENT", "NAME", "COORDINATOR", "AS", "UNTIL"];

    public static Command Create() => new("context", """
        The fleets that you work with: each is a coordinator's address and your identity there.

        Commands go to the context in use, or to the one that --coordinator NAME names.
        """)
    {
        Add(),
        List(),
        Use(),
        Remove(),
    };

    private static Command Add()
    {
        var command = new Command("add", """
            Add a context. Your certificate and key are copied; the originals are not needed any more.

            Whoever has the fleet's authority makes them: crashcart-coordinator ca issue user NAME.
            """);
        var name = new Argument<string>("NAME");
        var coordinator = new Option<string>("--coordinator") { HelpName = "ADDRESS", Description = "https://HOST:PORT, or unix:///PATH", Required = true };
        var identity = new Option<string>("--tls-dir") { HelpName = "DIR", Description = "Where ca.crt, tls.crt and tls.key are; needed for https" };
        var use = new Option<bool>("--use") { Description = "Use it from now on" };
        command.Add(name);
        command.Add(coordinator);
        command.Add(identity);
        command.Add(use);
        command.SetAction(parsed =>
        {
            var address = CoordinatorAddress.Parse(parsed.GetValue(coordinator)!);
            var directory = parsed.GetValue(identity);
            if (address.IsSecured != directory is not null)
                throw new CrashcartException(
                    FailureReason.BadRequest,
                    address.IsSecured ? $"{address.Text} needs an identity: give --tls-dir." : $"{address.Text} takes no identity: leave --tls-dir out, or give https://HOST:PORT.");
            Contexts.Mine.Add(parsed.GetValue(name)!, address, directory);
            if (parsed.GetValue(use))
                Contexts.Mine.Use(parsed.GetValue(name)!);
            return ExitStatus.Success;
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("ls", "List the contexts; the one in use has a *.");
        var format = CommonOptions.Format();
        command.Add(format);
        command.SetAction(parsed =>
        {
            var current = Contexts.Mine.Current;
            var rows = Contexts.Mine.Names.Select(Row).ToList();
            StandardText.Output(Listing.IsJson(parsed, format)
                ? JsonOutput.Of(rows, (json, row) =>
                {
                    json.WriteString("name", row.Name);
                    json.WriteBoolean("current", row.Name == current);
                    json.WriteString("coordinator", row.Coordinator);
                    json.WriteString("as", row.As);
                    json.WriteString("until", row.Until);
                })
                : TextTable.Of(Headings, rows.Select(row => new[] { row.Name == current ? "*" : "", row.Name, row.Coordinator, OrDash(row.As), OrDash(row.Until) })));
            return ExitStatus.Success;
        });
        return command;
    }

    private static Command Use()
    {
        var command = new Command("use", "Have commands go to that context from now on.");
        var name = new Argument<string>("NAME");
        command.Add(name);
        command.SetAction(parsed =>
        {
            Contexts.Mine.Use(parsed.GetValue(name)!);
            return ExitStatus.Success;
        });
        return command;
    }

    private static Command Remove()
    {
        var command = new Command("rm", "Remove a context, with its copy of your key.");
        var name = new Argument<string>("NAME");
        command.Add(name);
        command.SetAction(parsed =>
        {
            Contexts.Mine.Remove(parsed.GetValue(name)!);
            return ExitStatus.Success;
        });
        return command;
    }

    /// <summary>A context that is damaged is listed as well: it must be seen to be removed.</summary>
    private static (string Name, string Coordinator, string As, string Until) Row(string name)
    {
        try
        {
            var address = Contexts.Mine.Address(name);
            if (address.TlsDirectory is not { } directory)
                return (name, address.Text, "", "");
            var identity = ClientIdentity.Read(directory);
            return (name, address.Text, identity.Holder, identity.Until.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        }
        catch (CrashcartException e)
        {
            StandardText.Complain(SafeText.Of($"{name}: {e.Message}"));
            return (name, "", "", "");
        }
    }

    private static string OrDash(string text) => text.Length > 0 ? text : "-";
}
