namespace Crashcart.Audit.Sinks;

/// <summary>Where lines go beside the log.</summary>
/// <param name="Syslog">Path of the host's syslog socket.</param>
/// <param name="Journal">Path of journald's own socket.</param>
public sealed record SinkSettings(string? Syslog = null, string? Journal = null, HttpSinkSettings? Http = null);

/// <summary>Owns the sinks of a process's logs.</summary>
public sealed class AuditSinks : IDisposable
{
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(2);

    /// <summary>How often a log is looked at that other processes write.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    private readonly SinkSettings _settings;
    private readonly SinkPace _pace;
    private readonly TimeProvider _time;
    private readonly Action<string> _complain;
    private readonly List<AuditFollower> _followers = [];
    private readonly List<ITimer> _looks = [];

    /// <param name="complain">Takes sentences for the process's log.</param>
    public AuditSinks(SinkSettings settings, TimeProvider time, Action<string> complain)
        : this(settings, SinkPace.Usual, time, complain)
    {
    }

    internal AuditSinks(SinkSettings settings, SinkPace pace, TimeProvider time, Action<string> complain) =>
        (_settings, _pace, _time, _complain) = (settings, pace, time, complain);

    /// <summary>Sends the lines of this process's log.</summary>
    /// <param name="application">The process's name.</param>
    public void Follow(AuditLog log, string application)
    {
        foreach (AuditFollower follower in Followers(log.Directory, application, log))
        {
            log.Advanced += follower.Wake;
            // The log may have advanced before anybody heard.
            follower.Wake();
        }
    }

    /// <summary>Sends the lines of a log that other processes write.</summary>
    /// <param name="directory">The log's; it may come later.</param>
    /// <param name="own">What there is to say of it goes into this process's log.</param>
    public void Follow(string directory, string application, AuditLog own)
    {
        foreach (AuditFollower follower in Followers(directory, application, own))
            _looks.Add(_time.CreateTimer(_ => follower.Wake(), null, LookInterval, LookInterval));
    }

    /// <summary>Sends what is there, where that works at once; the rest is sent by the next process.</summary>
    public void Dispose()
    {
        _looks.ForEach(look => look.Dispose());
        _followers.ForEach(follower => follower.Finish());
        long began = _time.GetTimestamp();
        foreach (AuditFollower follower in _followers)
        {
            TimeSpan left = LastPatience - _time.GetElapsedTime(began);
            follower.HasFinished(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            follower.Dispose();
        }
    }

    private List<AuditFollower> Followers(string directory, string application, AuditLog own)
    {
        List<IAuditReceiver> receivers = [];
        if (_settings.Syslog is { } syslog)
            receivers.Add(new SyslogReceiver(syslog, application));
        if (_settings.Journal is { } journal)
            receivers.Add(new JournalReceiver(journal, application));
        if (_settings.Http is { } http)
            receivers.Add(new HttpReceiver(http, $"{Environment.MachineName}/{application}"));
        List<AuditFollower> followers =
            [.. receivers.Select(receiver => new AuditFollower(new AuditDirectory(directory), receiver, _pace, _time, own.WriteAsync, _complain))];
        _followers.AddRange(followers);
        return followers;
    }
}
