namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>Timers that are due when a test says so.</summary>
internal sealed class TickingTime : TimeProvider
{
    private Action _due = () => { };

    public void Tick() => _due();

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
