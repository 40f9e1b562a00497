namespace Crashcart.Image;

/// <summary>While it lives, shows how much of what apt fetches has come.</summary>
internal sealed class DownloadProgress : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);

    private readonly string _directory;
    private readonly int _count;
    private readonly long _total;
    private readonly BuildLog _log;
    private readonly Timer? _timer;

    public DownloadProgress(string directory, int count, long total, BuildLog log)
    {
        (_directory, _count, _total, _log) = (directory, count, total, log);
        _timer = log.IsTerminal ? new Timer(_ => Show(), null, Period, Period) : null;
    }

    public void Dispose()
    {
        if (_timer is null)
            return;
        using var shown = new ManualResetEvent(false);
        _timer.Dispose(shown);
        shown.WaitOne();
        _log.End();
    }

    private void Show()
    {
        try
        {
            var files = new DirectoryInfo(_directory).EnumerateFiles("*", SearchOption.AllDirectories).ToList();
            var complete = files.Count(f => f.Extension == ".deb");
            _log.Live($"Fetching packages: {complete} of {_count}, {files.Sum(f => f.Length) / 1e6:F1} of {_total / 1e6:F1} MB");
        }
        catch (IOException)
        {
            // A file went away while it was looked at: the next time shows it.
        }
    }
}
