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
            string holder = CheckedName(parsed.GetValue(name)!, "name");
            int lasts = parsed.GetValue(life);
            if (lasts is < 1 or > MostDays)
                throw new SettingsException($"--days {lasts} is not a number from 1 to {MostDays}.");
            List<string> belongs = [.. (parsed.GetValue(groups) ?? []).Select(group => CheckedName(group, "group"))];
            List<string> dialled = role == PeerRole.User ? [] : [.. (parsed.GetValue(hosts) ?? []).Select(CheckedHost).Append(holder).Distinct()];
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

    private static string State(X509Certificate2 certificate, RevocationList? revoked) =>
        revoked?.Has(certificate) == true ? "revoked" : certificate.NotAfter < DateTime.Now ? "expired" : "valid";

    private static string Row(string serial, string role, string name, string state, string until, string groups) =>
        string.Create(CultureInfo.InvariantCulture, $"{serial,-32}  {role,-11}  {name,-20}  {state,-7}  {until,-10}  {groups}").TrimEnd();

    /// <summary>What stands in a subject, in policies and in file names.</summary>
    private static string CheckedName(string text, string what) =>
        text.Length is > 0 and <= 63 && char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || "-_.@".Contains(c, StringComparison.Ordinal))
            ? text
            : throw new SettingsException($"'{text}' is no {what}: use up to 63 letters, digits and -_.@, beginning with a letter or digit.");

    private static string CheckedHost(string text) =>
        Uri.CheckHostName(text) != UriHostNameType.Unknown ? text : throw new SettingsException($"--host '{text}' is neither a host's name nor an address.");

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
