using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Native;
using Crashcart.Node.Configuration;

namespace Crashcart.Node.Identity;

/// <summary><c>crashcart-node join</c>: from a token to an identity.</summary>
internal sealed class JoinCommand : Command
{
    private const int Wrong = 1;
    private const int HashDigits = 64;

    private readonly Argument<string> _coordinator = new("COORDINATOR") { Description = "HOST:PORT, as that coordinator's --join-listen says." };

    private readonly Option<string> _token = new("--token")
    {
        HelpName = "TOKEN",
        Description = "From 'crashcart-coordinator ca token create'; - reads it from standard input.",
        Required = true,
    };

    private readonly Option<string> _hash = new("--ca-hash")
    {
        HelpName = "HASH",
        Description = "Of the fleet's authority: sha256: and 64 hexadecimal digits, which 'ca init' and 'ca token create' print.",
        Required = true,
    };

    private readonly Option<string> _name = new("--name")
    {
        HelpName = "NODE",
        Description = "This node's name.",
        DefaultValueFactory = _ => Environment.MachineName,
    };

    private readonly Option<string> _directory = new("--tls-dir")
    {
        HelpName = "DIR",
        Description = "Where the identity is written.",
        DefaultValueFactory = _ => IdentitySetting.For(PeerRole.Node).Default!,
    };

    public JoinCommand()
        : base("join", "Make this host a node of a fleet: get an identity for a token.")
    {
        Arguments.Add(_coordinator);
        Options.Add(_token);
        Options.Add(_hash);
        Options.Add(_name);
        Options.Add(_directory);
        SetAction((parsed, _) => RunAsync(parsed));
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        try
        {
            await JoinAsync(parsed).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is SettingsException or CrashcartException)
        {
            // Whoever answered at the address may have chosen the words.
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"crashcart-node: {SafeText.Of(e.Message)}").ConfigureAwait(false);
            return Wrong;
        }
    }

    private async Task JoinAsync(ParseResult parsed)
    {
        var directory = Path.GetFullPath(parsed.GetValue(_directory)!);
        // Before the token is used up.
        if (IdentityFiles.AreIn(directory))
            throw new SettingsException($"There is an identity in {directory} already: remove it if this host is to join anew, or give another --tls-dir.");
        var entry = new FleetEntry(Coordinator(parsed), Hash(parsed));
        var token = parsed.GetValue(_token)!;
        if (token == "-")
            token = (await Console.In.ReadLineAsync().ConfigureAwait(false))?.Trim() ?? "";
        var isNew = !Directory.Exists(directory);
        MakeWritable(directory);
        try
        {
            var entered = await entry.EnterAsync(token, parsed.GetValue(_name)!).ConfigureAwait(false);
            Write(directory, entered);
            Tell(parsed.InvocationConfiguration.Output, entered, directory);
        }
        catch when (isNew && !IdentityFiles.AreIn(directory))
        {
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    private HostPort Coordinator(ParseResult parsed) => HostPort.TryParse(parsed.GetValue(_coordinator)!, out var coordinator) && coordinator.Port > 0
        ? coordinator
        : throw new SettingsException($"'{parsed.GetValue(_coordinator)}' is not of the form HOST:PORT.");

    private string Hash(ParseResult parsed)
    {
        var hash = parsed.GetValue(_hash)!.ToLowerInvariant();
        return hash.StartsWith(Trust.HashPrefix, StringComparison.Ordinal) && hash.Length == Trust.HashPrefix.Length + HashDigits && hash[Trust.HashPrefix.Length..].All(char.IsAsciiHexDigitLower)
            ? hash
            : throw new SettingsException($"--ca-hash '{hash}' is not {Trust.HashPrefix} and {HashDigits} hexadecimal digits: copy it from 'crashcart-coordinator ca token create'.");
    }

    private static void Write(string directory, Entered entered)
    {
        try
        {
            using var key = entered.Certificate.GetECDsaPrivateKey()!;
            IdentityFiles.Write(directory, entered.Certificate, key, entered.Trust);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SyscallException or CryptographicException)
        {
            throw new SettingsException($"The identity could not be written to {directory}: {e.Message} The token is used up: revoke {entered.Certificate.SerialNumber}, and join with another.", e);
        }
    }

    private static void MakeWritable(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The identity could not be written to {directory}: {e.Message} Run this as root, or give another --tls-dir.", e);
        }
    }

    private static void Tell(TextWriter output, Entered entered, string directory)
    {
        var hosts = entered.Certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().ToList();
        var addresses = hosts.SelectMany(names => names.EnumerateIPAddresses()).Select(address => address.ToString());
        var listen = new HostPort(addresses.LastOrDefault() ?? Peer.Of(entered.Certificate)!.Name, NodeSettings.DefaultPort);
        output.WriteLine($"{Peer.Of(entered.Certificate)} of {entered.Trust.Authority.Subject}, serial {entered.Certificate.SerialNumber}, "
            + $"valid until {entered.Certificate.NotAfter.ToUniversalTime():u}, in {directory}");
        output.WriteLine($"Start it: crashcart-node --listen {listen} {string.Join(' ', entered.Seeds.Select(seed => $"--seed {seed}"))}");
    }
}
