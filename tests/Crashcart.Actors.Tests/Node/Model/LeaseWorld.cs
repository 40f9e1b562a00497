using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>Everything outside of the owners, where each thing is done when the course of events says so, or fails.</summary>
internal sealed class LeaseWorld : IImages, ITargets, ISharedMounts
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly SortedDictionary<string, Action<bool>> _underWay = new(StringComparer.Ordinal);
    private readonly Dictionary<int, TaskCompletionSource> _exits = [];
    private readonly List<string> _owned = [];
    private int _image = 1;
    private int _identified;

    public IReadOnlyCollection<string> UnderWay => _underWay.Keys;

    /// <summary>What must never happen and did. Not thrown where it happens, for owners survive what fails outside.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>What was made and not taken back.</summary>
    public IReadOnlyCollection<string> Owned => _owned;

    public void ReplaceImage() => _image++;

    public void Exit(int pid) => ExitOf(pid).TrySetResult();

    public void Finish(int which, bool succeeds)
    {
        if (_underWay.Count == 0)
            return;
        _underWay.Remove(_underWay.Keys.ElementAt(which % _underWay.Count), out var finished);
        finished!(succeeds);
    }

    public Task<ImageFile> IdentifyAsync(CancellationToken cancellation) =>
        Begin($"identify {++_identified:000}", () => new ImageFile("/crashcart.img", $"image-{_image}"));

    public Task<string> DigestAsync(ImageFile file, CancellationToken cancellation) => Task.FromResult("sha256:" + file.Key);

    public Task<IAttachedImage> AttachAsync(ImageFile file, CancellationToken cancellation) =>
        Make<IAttachedImage>("attach " + file.Key, () => new Thing(this, "detach " + file.Key), cancellation);

    public Task<ITarget> OpenAsync(ContainerId container, int pid, CancellationToken cancellation) =>
        Make<ITarget>($"open mount-{pid}", () => new Target(this, pid), cancellation);

    public Task<IAsyncDisposable> MountAsync(ITarget target, IAttachedImage image, CancellationToken cancellation)
    {
        if (((Thing)image).IsGivenBack)
            Violations.Add("An image that was given back is mounted.");
        var mount = $"mount mount-{((Target)target).Pid}";
        return Make<IAsyncDisposable>(mount, () => new Thing(this, "un" + mount), cancellation);
    }

    private Task<T> Make<T>(string name, Func<T> make, CancellationToken cancellation) where T : IAsyncDisposable
    {
        var done = new TaskCompletionSource<T>();
        Begin(name, succeeds =>
        {
            if (!succeeds && !cancellation.IsCancellationRequested)
            {
                done.SetException(Failure(name));
                return;
            }

            // What nobody waits for any more is made all the same, and must be given back; another thread does that.
            var made = make();
            done.SetResult(made);
            if (cancellation.IsCancellationRequested && !SpinWait.SpinUntil(() => ((IThing)made).IsGivenBack, Patience))
                Violations.Add($"Nobody gave back what came of {name}.");
        });
        return done.Task;
    }

    /// <summary>Is done with an answer, or fails, when the course of events says so.</summary>
    public Task<T> Begin<T>(string name, Func<T> make)
    {
        // Continuations run at once, on the one thread that everything runs on.
        var done = new TaskCompletionSource<T>();
        Begin(name, succeeds =>
        {
            if (succeeds)
                done.SetResult(make());
            else
                done.SetException(Failure(name));
        });
        return done.Task;
    }

    private void Begin(string name, Action<bool> finish)
    {
        if (!_underWay.TryAdd(name, finish))
            Violations.Add($"To {name} was begun while it was under way.");
    }

    private static NodeException Failure(string name) => new(NodeFailure.Failed, $"Could not {name}.");

    private TaskCompletionSource ExitOf(int pid) =>
        _exits.TryGetValue(pid, out var exit) ? exit : _exits[pid] = new TaskCompletionSource();

    private interface IThing
    {
        bool IsGivenBack { get; }
    }

    /// <summary>An attached image, or a mount, that takes time to go.</summary>
    internal sealed class Thing : IAttachedImage, IThing
    {
        private readonly LeaseWorld _world;
        private readonly string _end;
        private volatile bool _isGivenBack;

        public Thing(LeaseWorld world, string end)
        {
            (_world, _end) = (world, end);
            world._owned.Add(end);
        }

        public bool IsGivenBack => _isGivenBack;

        public string LoopDevice => "/dev/loop7";

        public string ImageKey => "image-1";

        public ValueTask DisposeAsync()
        {
            if (IsGivenBack)
                _world.Violations.Add($"It was asked twice to {_end}.");
            var gone = _world.Begin(_end, () => true).ContinueWith(
                ended =>
                {
                    _world._owned.Remove(_end);
                    return ended;
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default).Unwrap();
            _isGivenBack = true;
            return new ValueTask(gone);
        }
    }

    private sealed class Target : ITarget, IThing
    {
        private readonly LeaseWorld _world;
        private volatile bool _isGivenBack;

        public Target(LeaseWorld world, int pid)
        {
            (_world, Pid) = (world, pid);
            world._owned.Add($"close {pid}");
        }

        public int Pid { get; }

        public bool IsGivenBack => _isGivenBack;

        public Task Exited => _world.ExitOf(Pid).Task;

        public ValueTask DisposeAsync()
        {
            _world._owned.Remove($"close {Pid}");
            _isGivenBack = true;
            return default;
        }
    }
}
