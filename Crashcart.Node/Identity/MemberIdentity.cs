using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Remoting;
using Crashcart.Node.Configuration;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Identity;

/// <summary>
/// A process's own identity and its view of the fleet's authority, as its files are now: they are looked at again every two seconds, so
/// that a certificate is renewed and another revoked without a restart. Files that are wrong change nothing and are logged once.
/// </summary>
public sealed class MemberIdentity : IMemberIdentity, IDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    private readonly string _directory;
    private readonly string _received;
    private readonly IReadOnlyList<string> _lists;
    private readonly ILogger _log;
    private readonly Lock _changing = new();
    private readonly ITimer _looking;
    private volatile IdentityFiles _files;
    private string _seen;
    private string _problem = "";

    /// <param name="directory">Of <see cref="IdentityFiles"/>.</param>
    /// <param name="stateDirectory">Where the list of revoked certificates is kept that came over the cluster.</param>
    /// <param name="lists">Other files that may hold a list of revoked certificates: the authority's own, where it is on this host.</param>
    /// <exception cref="SettingsException">The files are not usable, or the certificate is not for this role.</exception>
    public MemberIdentity(string directory, string stateDirectory, PeerRole role, TimeProvider time, ILogger log, params IEnumerable<string> lists)
    {
        _directory = directory;
        _received = Path.Combine(stateDirectory, IdentityFiles.RevocationName);
        _lists = [Path.Combine(directory, IdentityFiles.RevocationName), _received, .. lists];
        _log = log;
        Role = role;
        _seen = Fingerprint();
        _files = Read();
        _looking = time.CreateTimer(_ => Look(), null, LookInterval, LookInterval);
    }

    public event Action? Changed;

    public PeerRole Role { get; }

    public X509Certificate2 Certificate => _files.Certificate;

    public Trust Trust => _files.Trust;

    public ReadOnlyMemory<byte>? Revoked => Trust.Revoked?.Der;

    /// <summary>Members are coordinators and nodes; both speak with both.</summary>
    public string? Refusal(X509Certificate2 certificate) => Trust.Refusal(certificate, PeerRole.Coordinator, PeerRole.Node);

    public void Take(ReadOnlyMemory<byte> list)
    {
        try
        {
            var read = RevocationList.Read(list, Trust.Authority);
            lock (_changing)
            {
                if (Trust.Revoked is { } known && known.Number >= read.Number)
                    return;
                Directory.CreateDirectory(Path.GetDirectoryName(_received)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                Native.DurableFile.Replace(_received, System.Text.Encoding.ASCII.GetBytes(read.ToPem()));
            }

            Look();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            IdentityLog.NotTaken(_log, e.Message);
        }
    }

    public void Dispose() => _looking.Dispose();

    private void Look()
    {
        lock (_changing)
        {
            var now = Fingerprint();
            if (now == _seen)
                return;
            try
            {
                _files = Read();
                _seen = now;
                _problem = "";
                IdentityLog.Read(_log, _directory, Certificate.Subject, Certificate.NotAfter.ToUniversalTime(), Trust.Revoked?.Serials.Count ?? 0);
            }
            catch (SettingsException e)
            {
                // Perhaps it is half written; it is looked at again.
                if (_problem != e.Message)
                    IdentityLog.NotRead(_log, e.Message);
                _problem = e.Message;
                return;
            }
        }

        Changed?.Invoke();
    }

    private IdentityFiles Read()
    {
        var files = IdentityFiles.Read(_directory);
        var newest = _lists.Select(path => IdentityFiles.ReadRevoked(path, files.Trust.Authority)).MaxBy(list => list?.Number);
        files = files with { Trust = files.Trust with { Revoked = newest } };
        return files.Trust.Refusal(files.Certificate, Role) is { } why
            ? throw new SettingsException($"The identity in {_directory} is not usable here: its holder {why}.")
            : files;
    }

    /// <summary>Of all files; another one when any of them was written.</summary>
    private string Fingerprint() => string.Join(
        ' ',
        new[] { IdentityFiles.AuthorityName, IdentityFiles.CertificateName, IdentityFiles.KeyName }
            .Select(name => Path.Combine(_directory, name))
            .Concat(_lists)
            .Select(path => new FileInfo(path))
            .Select(file => file.Exists ? $"{file.LastWriteTimeUtc.Ticks}-{file.Length}" : "none"));
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
