using Crashcart.Actors.Policies;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Policies;

/// <summary>
/// The policy in force: its file's, read again when it was written. Without a file everybody may do everything who may use the coordinator;
/// a file that is gone, or is wrong, leaves what was in force before.
/// </summary>
internal sealed class PolicyStore : IPolicy, IDisposable
{
    private readonly WatchedFiles<Policy>? _file;

    /// <param name="path">Null: there is no policy.</param>
    /// <exception cref="SettingsException">The policy cannot be read, or is wrong.</exception>
    public PolicyStore(string? path, TimeProvider time, ILogger log)
    {
        Path = path;
        if (path is null)
            return;
        _file = new WatchedFiles<Policy>([path], () => Read(path), time, problem => PolicyLog.NotRead(log, problem));
        _file.Changed += () => PolicyLog.Read(log, path, _file.Current.Rules.Count);
        PolicyLog.Read(log, path, _file.Current.Rules.Count);
    }

    /// <summary>Null: there is none.</summary>
    public string? Path { get; }

    public PolicyVerdict Decide(PolicyQuestion question) => _file?.Current.Decide(question) ?? new PolicyVerdict(true, null);

    public bool MayAllow(PolicyQuestion question) => _file?.Current.MayAllow(question) ?? true;

    public IReadOnlyList<PolicyProfile> Profiles => _file?.Current.Profiles ?? [];

    public void Dispose() => _file?.Dispose();

    /// <exception cref="SettingsException">It cannot be read, or is wrong; says where.</exception>
    public static Policy Read(string path)
    {
        try
        {
            return PolicyParser.Parse(File.ReadAllText(path), path);
        }
        catch (PolicyException e)
        {
            throw new SettingsException(e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The policy {path} cannot be read: {e.Message}", e);
        }
    }
}

internal static partial class PolicyLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "The policy {Path} is in force; it has {Rules} rules")]
    public static partial void Read(ILogger log, string path, int rules);

    [LoggerMessage(Level = LogLevel.Error, Message = "The policy that was read before stays in force: {Problem}")]
    public static partial void NotRead(ILogger log, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} was refused {Method}: the policy does not let {Asked}")]
    public static partial void Refused(ILogger log, string peer, string method, string asked);
}
