using Microsoft.Extensions.Logging;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>What a process logs, for a test that waits for it.</summary>
internal sealed class TestLog : ILoggerFactory, ILogger
{
    private readonly Lock _changing = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> IsWanted, TaskCompletionSource<string> Line)> _waiting = [];

    /// <summary>The first line of that kind, that was logged or will be.</summary>
    public Task<string> LineAsync(Func<string, bool> isWanted)
    {
        lock (_changing)
        {
            if (_lines.Find(line => isWanted(line)) is { } line)
                return Task.FromResult(line);
            var coming = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((isWanted, coming));
            return coming.Task;
        }
    }

    /// <summary>How many lines of that kind there are yet.</summary>
    public int Count(Func<string, bool> isWanted)
    {
        lock (_changing)
            return _lines.Count(isWanted);
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string line = formatter(state, exception);
        lock (_changing)
        {
            _lines.Add(line);
            foreach (var (_, coming) in _waiting.Where(waiting => waiting.IsWanted(line)))
                coming.TrySetResult(line);
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}
