using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Native;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Authority;

/// <summary><c>crashcart-coordinator ca</c>: makes what a fleet over TLS needs.</summary>
internal sealed class CaCommand : Command
{
    private const int Wrong = 1;
    private const int MostDays = 3650;
    private const int MostMinutes = 7 * 24 * 60;

    private readonly Option<string> _directory = new("--ca-dir")
    {
        HelpName = "DIR",
        Description = "The authority's directory.",
        DefaultValueFactory = _ => CertificateAuthority.DefaultDirectory,
        Recursive = true,
    };

    public CaCommand()
        : base("ca", "The fleet's certificate authority: who is a coordinator, a node or a user.")
    {
        Options.Add(_directory);
        Subcommands.Add(Init());
        Subcommands.Add(Issue());
        Subcommands.Add(Revoke());
        Subcommands.Add(List());
        Subcommands.Add(Token());
    }

    private Command Init()
    {
        var name = new Option<string>("--name") { HelpName = "NAME", Description = "The authority's name in its certificate.", DefaultValueFactory = _ => "crashcart" };
        var command = new Command("init", "Make a new authority.") { name };
        command.SetAction(parsed => Run(parsed, (directory, output) =>
        {
            CertificateAuthority made = CertificateAuthority.Create(directory, parsed.GetValue(name)!, DateTimeOffset.UtcNow);
            output.WriteLine($"{made.Certificate.Subject} in {directory}, valid until {made.Certificate.NotAfter.ToUniversalTime():u}");
            output.WriteLine($"Hash of its key: {made.Hash}");
        }));
        return command;
    }

    private Command Issue()
    {
        var command = new Command("issue", "Issue a certificate, with a key.")
        {
            Issue(PeerRole.Coordinator, "For a coordinator; clients and nodes dial it by its --host.", days: 365),
            Issue(PeerRole.Node, "For a node; other members dial it by its --host.", days: 365),
            Issue(PeerRole.User, "For a person or a program that uses the fleet.", days: 90),
        };
        return command;
    }

    private Command Issue(PeerRole role, string description, int days)
    {
        var name = new Argument<string>("NAME") { Description = role == PeerRole.Node ? "The node's name, as its --name says." : "Who it is for." };
        var output = new Option<string>("--output", "-o")
        {
            HelpName = "DIR",
            Description = "Where ca.crt, tls.crt and tls.key are written; ./NAME by default.",
        };
        var life = new Option<int>("--days") { HelpName = "N", Description = "How long it is valid.", DefaultValueFactory = _ => days };
        var groups = new Option<string[]>("--group") { HelpName = "G", Description = "A group of the user's, for the policy (repeat)." };
        var hosts = new Option<string[]>("--host") { HelpName = "HOST", Description = "A name or address by which it is dialled (repeat); NAME is one." };
        var command = new Command(Peer.Text(role), description) { name, output, life };
        command.Options.Add(role == PeerRole.User ? groups : hosts);
        command.SetAction(parsed => Run(parsed, (directory, text) =>
        {
            string holder = HolderName.Checked(parsed.GetValue(name)!, "name");
            int lasts = InRange(parsed.GetValue(life), "--days", MostDays);
            List<string> belongs = [.. (parsed.GetValue(groups) ?? []).Select(group => HolderName.Checked(group, "group"))];
            List<string> dialled = role == PeerRole.User ? [] : [.. (parsed.GetValue(hosts) ?? []).Select(HolderName.CheckedHost).Append(holder).Distinct()];
            string to = Path.GetFullPath(parsed.GetValue(output) ?? holder);
            X509Certificate2 certificate = IssuedIdentity.Write(
                CertificateAuthority.Open(directory), new Peer(role, holder, belongs, ""), dialled, TimeSpan.FromDays(lasts), to, DateTimeOffset.UtcNow);
            text.WriteLine($"{Peer.Of(certificate)}, serial {certificate.SerialNumber}, valid until {certificate.NotAfter.ToUniversalTime():u}, in {to}");
        }));
        return command;
    }

    private Command Revoke()
    {
        var serial = new Argument<string>("SERIAL") { Description = "Of the certificate; its first digits are enough when no other begins so." };
        var command = new Command("revoke", "Take a certificate back: connections that use it end within 10 s, on every member that the fleet reaches.") { serial };
        command.SetAction(parsed => Run(parsed, (directory, output) =>
        {
            X509Certificate2 revoked = CertificateAuthority.Open(directory).Revoke(parsed.GetValue(serial)!, DateTimeOffset.UtcNow);
            output.WriteLine($"Revoked {revoked.SerialNumber} of {Peer.Of(revoked)}");
        }));
        return command;
    }

    private Command List()
    {
        var command = new Command("list", "Every certificate that was issued, the newest first.");
        command.SetAction(parsed => Run(parsed, (directory, output) =>
        {
            CertificateAuthority authority = CertificateAuthority.Open(directory);
            RevocationList? revoked = authority.Revoked;
            output.WriteLine(Row("SERIAL", "ROLE", "NAME", "STATE", "UNTIL", "GROUPS"));
            foreach (X509Certificate2 certificate in authority.Issued())
            {
                if (Peer.Of(certificate) is { } holder)
                    output.WriteLine(Row(
                        certificate.SerialNumber, Peer.Text(holder.Role), holder.Name, State(certificate, revoked), $"{certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}", string.Join(',', holder.Groups)));
            }
        }));
        return command;
    }

    private Command Token() => new("token", "Tokens with which nodes join: short-lived, each good for one.")
    {
        CreateToken(),
        DeleteToken(),
        ListTokens(),
    };

    private Command CreateToken()
    {
        var node = new Argument<string?>("NODE") { Description = "The only name that it is good for; a node of that name may be there already. Without it: any new name.", Arity = ArgumentArity.ZeroOrOne };
        var life = new Option<int>("--minutes") { HelpName = "N", Description = "How long the token is good.", DefaultValueFactory = _ => 60 };
        var days = new Option<int>("--days") { HelpName = "N", Description = "How long the node's certificate is valid.", DefaultValueFactory = _ => 365 };
        var hosts = new Option<string[]>("--host")
        {
            HelpName = "HOST",
            Description = "A name or address by which the node is dialled (repeat); its name, and the address from which it joins, are some.",
        };
        var command = new Command("create", "Make a token, and print it with the command that uses it.") { node, life, days, hosts };
        command.SetAction(parsed => Run(parsed, (directory, output) =>
        {
            string token = CertificateAuthority.Open(directory).CreateToken(
                parsed.GetValue(node) is { } name ? HolderName.Checked(name, "name") : null,
                [.. (parsed.GetValue(hosts) ?? []).Select(HolderName.CheckedHost)],
                InRange(parsed.GetValue(days), "--days", MostDays),
                TimeSpan.FromMinutes(InRange(parsed.GetValue(life), "--minutes", MostMinutes)),
                DateTimeOffset.UtcNow);
            output.WriteLine(token);
            parsed.InvocationConfiguration.Error.WriteLine(
                $"On the node: crashcart-node join COORDINATOR --token {token} --ca-hash {CertificateAuthority.Open(directory).Hash}");
        }));
        return command;
    }

    private Command DeleteToken()
    {
        var id = new Argument<string>("ID") { Description = "What stands before the token's dot; its first digits are enough when no other begins so." };
        var command = new Command("delete", "Take a token back that nobody has used.") { id };
        command.SetAction(parsed => Run(parsed, (directory, output) =>
            output.WriteLine($"Deleted {CertificateAuthority.Open(directory).DeleteToken(parsed.GetValue(id)!).Id}")));
        return command;
    }

    private Command ListTokens()
    {
        var command = new Command("list", "Every token of the last days; their secrets are kept nowhere.");
        command.SetAction(parsed => Run(parsed, (directory, output) =>
        {
            output.WriteLine($"{"ID",-8}  {"NODE",-20}  {"UNTIL",-20}  STATE");
            foreach (JoinToken token in CertificateAuthority.Open(directory).Tokens)
                output.WriteLine($"{token.Id,-8}  {token.Node ?? "any",-20}  {token.Expires.UtcDateTime,-20:u}  {token.StateAt(DateTimeOffset.UtcNow)}");
        }));
        return command;
    }

    private static int InRange(int value, string option, int most) =>
        value >= 1 && value <= most ? value : throw new SettingsException($"{option} {value} is not a number from 1 to {most}.");

    private static string State(X509Certificate2 certificate, RevocationList? revoked) =>
        revoked?.Has(certificate) == true ? "revoked" : certificate.NotAfter < DateTime.Now ? "expired" : "valid";

    private static string Row(string serial, string role, string name, string state, string until, string groups) =>
        string.Create(CultureInfo.InvariantCulture, $"{serial,-32}  {role,-11}  {name,-20}  {state,-7}  {until,-10}  {groups}").TrimEnd();

    private int Run(ParseResult parsed, Action<string, TextWriter> work)
    {
        try
        {
            work(parsed.GetValue(_directory)!, parsed.InvocationConfiguration.Output);
            return 0;
        }
        catch (Exception e) when (e is SettingsException or CrashcartException)
        {
            parsed.InvocationConfiguration.Error.WriteLine($"crashcart-coordinator: {e.Message}");
            return Wrong;
        }
    }
}
