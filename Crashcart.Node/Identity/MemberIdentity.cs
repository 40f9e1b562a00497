using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Crashcart.Actors.Remoting;
using Crashcart.Native;
using Crashcart.Node.Configuration;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Identity;

/// <summary>
/// A process's own identity and its view of the fleet's authority, as its files are now: a certificate is renewed and another revoked
/// without a restart.
/// </summary>
public sealed class MemberIdentity : IMemberIdentity, IDisposable
{
    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _directory;
    private readonly string _received;
    private readonly IReadOnlyList<string> _lists;
    private readonly PeerRole _role;
    private readonly ILogger _log;
    private readonly Lock _receiving = new();
    private readonly WatchedFiles<IdentityFiles> _files;

    /// <param name="directory">Of <see cref="IdentityFiles"/>.</param>
    /// <param name="stateDirectory">Where the list of revoked certificates is kept that came over the cluster.</param>
    /// <param name="lists">Other files that may hold a list of revoked certificates: the authority's own, where it is on this host.</param>
    /// <exception cref="SettingsException">The files are not usable, or the certificate is not for this role.</exception>
    public MemberIdentity(string directory, string stateDirectory, PeerRole role, TimeProvider time, ILogger log, params IEnumerable<string> lists)
    {
        _directory = directory;
        _received = Path.Combine(stateDirectory, IdentityFiles.RevocationName);
        _lists = [Path.Combine(directory, IdentityFiles.RevocationName), _received, .. lists];
        _role = role;
        _log = log;
        string[] own = [.. new[] { IdentityFiles.AuthorityName, IdentityFiles.CertificateName, IdentityFiles.KeyName }.Select(name => Path.Combine(directory, name))];
        _files = new WatchedFiles<IdentityFiles>([.. own, .. _lists], Read, time, problem => IdentityLog.NotRead(log, problem));
        _files.Changed += () => IdentityLog.Read(log, directory, Certificate.Subject, Certificate.NotAfter.ToUniversalTime(), Trust.Revoked?.Serials.Count ?? 0);
    }

    public event Action? Changed
    {
        add => _files.Changed += value;
        remove => _files.Changed -= value;
    }

    public X509Certificate2 Certificate => _files.Current.Certificate;

    public Trust Trust => _files.Current.Trust;

    public ReadOnlyMemory<byte>? Revoked => Trust.Revoked?.Der;

    /// <summary>Members are coordinators and nodes; both speak with both.</summary>
    public string? Refusal(X509Certificate2 certificate) => Trust.Refusal(certificate, PeerRole.Coordinator, PeerRole.Node);

    public X509Certificate2 Require(X509Certificate? shown, string? host) => Trust.Require(shown, host, PeerRole.Coordinator, PeerRole.Node);

    public MemberName NameOf(X509Certificate2 certificate) => Peer.Of(certificate)!.ToMember();

    /// <exception cref="SettingsException">The certificate is for another name, so that nobody would believe this process that it has this one.</exception>
    public void RequireName(string name)
    {
        if (NameOf(Certificate) is { Name: var issued } && issued != name)
            throw new SettingsException($"This node is to be {name}, and its certificate in {_directory} is for {issued}: start it with --name {issued}, or have a certificate issued for {name}.");
    }

    public void Take(ReadOnlyMemory<byte> list)
    {
        if (Revoked is { } held && held.Span.SequenceEqual(list.Span))
            return;
        try
        {
            var read = RevocationList.Read(list, Trust.Authority);
            lock (_receiving)
            {
                if (Trust.Revoked is { } known && known.Number >= read.Number)
                    return;
                Directory.CreateDirectory(Path.GetDirectoryName(_received)!, RootOnly);
                DurableFile.Replace(_received, Encoding.ASCII.GetBytes(read.ToPem()));
                _files.Look();
            }
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            IdentityLog.NotTaken(_log, e.Message);
        }
    }

    public void Dispose() => _files.Dispose();

    private IdentityFiles Read()
    {
        var files = IdentityFiles.Read(_directory);
        var newest = _lists.Select(path => IdentityFiles.ReadRevoked(path, files.Trust.Authority)).MaxBy(list => list?.Number);
        files = files with { Trust = files.Trust with { Revoked = newest } };
        return files.Trust.Refusal(files.Certificate, _role) is { } why
            ? throw new SettingsException($"The identity in {_directory} is not usable here: its holder {why}.")
            : files;
    }
}

internal static partial class IdentityLog
{
    [LoggerMessage(30, LogLevel.Information, "The identity in {Directory} is {Subject}, valid until {Until:u}; {Revoked} certificates are revoked")]
    public static partial void Read(ILogger log, string directory, string subject, DateTime until, int revoked);

    [LoggerMessage(31, LogLevel.Error, "What was read before stays in force: {Problem}")]
    public static partial void NotRead(ILogger log, string problem);

    [LoggerMessage(32, LogLevel.Warning, "A list of revoked certificates that came over the cluster is not taken: {Problem}")]
    public static partial void NotTaken(ILogger log, string problem);
}
