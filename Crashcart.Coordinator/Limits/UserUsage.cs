namespace Crashcart.Coordinator.Limits;

/// <summary>What each user has at the moment, and that it is not more than he may.</summary>
internal sealed class UserUsage(UserLimits limits)
{
    private readonly Dictionary<(string User, Limit Limit), int> _taken = [];

    /// <summary>One more for the user, until it is disposed.</summary>
    /// <param name="user">Null: whoever may have as much as there is.</param>
    /// <returns>Null: he has as many as he may; then <paramref name="problem"/> is a sentence.</returns>
    public IDisposable? Take(string? user, Limit limit, out string problem)
    {
        problem = "";
        if (user is null)
            return new Unlimited();
        lock (_taken)
        {
            int taken = _taken.GetValueOrDefault((user, limit));
            if (taken < limits.Of(limit))
            {
                _taken[(user, limit)] = taken + 1;
                return new Place(this, user, limit);
            }
        }

        string what = limit.ToString().ToLowerInvariant();
        problem = $"{user} has {limits.Of(limit)} {(limits.Of(limit) == 1 ? what[..^1] : what)} already, the most at one time: try again when one has ended, or raise the coordinator's --max-{what}-per-user.";
        return null;
    }

    /// <summary>Of a run that wants so many sessions at one time, how many it has: the others wait. 0 means no limit.</summary>
    public int Parallel(string? user, int wanted) =>
        user is null ? wanted : wanted == 0 ? limits.Sessions : Math.Min(wanted, limits.Sessions);

    private void Return(string user, Limit limit)
    {
        lock (_taken)
        {
            int left = _taken[(user, limit)] - 1;
            if (left > 0)
                _taken[(user, limit)] = left;
            else
                _taken.Remove((user, limit));
        }
    }

    private sealed class Unlimited : IDisposable
    {
        public void Dispose()
        {
        }
    }

    private sealed class Place(UserUsage usage, string user, Limit limit) : IDisposable
    {
        private bool _returned;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _returned, true))
                usage.Return(user, limit);
        }
    }
}
