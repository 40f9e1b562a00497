namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A clock that a test sets, and timers that are due when it says so.</summary>
internal sealed class TickingTime : TimeProvider
{
    private Action _due = () => { };

    public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

    public void Tick() => _due();

    public override DateTimeOffset GetUtcNow() => Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _due += () => callback(state);
        return new NoTimer();
    }

    private sealed class NoTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
