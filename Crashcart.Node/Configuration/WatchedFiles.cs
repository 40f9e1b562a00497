namespace Crashcart.Node.Configuration;

/// <summary>
/// What files say, as they are now: they are looked at every two seconds, and read again when one was written. Files that are wrong
/// change nothing; that is told once.
/// </summary>
public sealed class WatchedFiles<T> : IDisposable
    where T : class
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    private readonly IReadOnlyList<string> _paths;
    private readonly Func<T> _read;
    private readonly Action<string> _complain;
    private readonly Lock _looking = new();
    private readonly ITimer _timer;
    private volatile T _current;
    private string _seen;
    private string _problem = "";

    /// <param name="read">Throws <see cref="SettingsException"/> when the files are wrong.</param>
    /// <param name="complain">Told why files are not taken.</param>
    /// <exception cref="SettingsException">They are wrong from the start.</exception>
    public WatchedFiles(IReadOnlyList<string> paths, Func<T> read, TimeProvider time, Action<string> complain)
    {
        _paths = paths;
        _read = read;
        _complain = complain;
        _seen = Fingerprint();
        _current = read();
        _timer = time.CreateTimer(_ => Look(), null, LookInterval, LookInterval);
    }

    /// <summary>On a thread of the pool's.</summary>
    public event Action? Changed;

    public T Current => _current;

    public void Dispose() => _timer.Dispose();

    /// <summary>Looks at once.</summary>
    public void Look()
    {
        lock (_looking)
        {
            var now = Fingerprint();
            if (now == _seen)
                return;
            try
            {
                _current = _read();
                _seen = now;
                _problem = "";
            }
            catch (SettingsException e)
            {
                // Perhaps it is half written; it is looked at again.
                if (_problem != e.Message)
                    _complain(e.Message);
                _problem = e.Message;
                return;
            }
        }

        Changed?.Invoke();
    }

    /// <summary>Another one when any of the files was written.</summary>
    private string Fingerprint() => string.Join(
        ' ',
        _paths.Select(path => new FileInfo(path)).Select(file => file.Exists ? $"{file.LastWriteTimeUtc.Ticks}-{file.Length}" : "none"));
}
