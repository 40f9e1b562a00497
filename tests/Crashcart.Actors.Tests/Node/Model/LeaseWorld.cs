using System.Diagnostics.CodeAnalysis;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>Everything outside of the owners, where each thing is done when the course of events says so, or fails.</summary>
internal sealed class LeaseWorld : IImages, ITargets, ISharedMounts, IPeopleMounts, ILeaseStore
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly SortedDictionary<string, Action<bool>> _underWay = new(StringComparer.Ordinal);
    private readonly List<Target> _targets = [];
    private readonly List<string> _owned = [];
    private int _image = 1;
    private int _identified;
    private int _opened;
    private int _forPeople;
    private IReadOnlyList<MountLease> _leases = [];

    public IReadOnlyCollection<string> UnderWay => _underWay.Keys;

    /// <summary>What must never happen and did. Not thrown where it happens, for owners survive what fails outside.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>What was made and not taken back.</summary>
    public IReadOnlyCollection<string> Owned => _owned;

    public void ReplaceImage() => _image++;

    public LeaseKernel Kernel { get; } = new();

    /// <summary>The node's actors were stopped. What people asked for is under way, and may outlive what they held for it.</summary>
    public bool IsStopped { get; set; }

    /// <summary>The mounts that people hold, as the node has kept them.</summary>
    public IEnumerable<(int Pid, int Mount)> Leases => _leases.Select(lease => (lease.Mount.Pid, lease.Mount.MountId)).Order();

    public void Exit(int pid)
    {
        Kernel.Exit(pid);
        foreach (var target in _targets.Where(target => target.Pid == pid).ToList())
            target.Exit();
    }

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
        Make<IAttachedImage>("attach " + file.Key, () => new Thing(this, "detach " + file.Key, file.Key), cancellation);

    public Task<ITarget> OpenAsync(ContainerId container, int pid, CancellationToken cancellation) =>
        Make<ITarget>($"open {++_opened:000} {pid}", () => new Target(this, container, pid), cancellation);

    public Task<IAsyncDisposable> MountAsync(ITarget target, IAttachedImage image, CancellationToken cancellation)
    {
        RequireHeld(image);
        var pid = ((Target)target).Pid;
        var mount = $"mount mount-{pid}";
        return Make<IAsyncDisposable>(
            mount,
            () => cancellation.IsCancellationRequested || Kernel.MountForSessions(pid, image.ImageKey)
                ? new Thing(this, "un" + mount, image.ImageKey) { Ended = succeeds => Kernel.EndSessions(pid, succeeds) }
                : throw Failure(mount),
            cancellation);
    }

    public Task<FoundMount> AttachAsync(MountImage request, ITarget target, IAttachedImage image, CancellationToken cancellation) =>
        BeginForPeople("mount", () =>
        {
            if (!IsStopped)
                RequireHeld(image);
            var process = (Target)target;
            return Kernel.MountForPeople(process.Pid, image.ImageKey) is { } mount
                ? Found(process.Container, process.Pid, mount)
                : throw Failure("mount");
        });

    public Task<bool> DetachAsync(UnmountImage request, ITarget target, CancellationToken cancellation) =>
        BeginForPeople("unmount", () =>
        {
            var pid = ((Target)target).Pid;
            return !Kernel.HasExited(pid) && Kernel.UnmountForPeople(pid) is { } wasThere ? wasThere : throw Failure("unmount");
        });

    public Task<IReadOnlyList<MountLease>> ReadAsync(CancellationToken cancellation) => Task.FromResult(_leases);

    public Task WriteAsync(IReadOnlyList<MountLease> leases, CancellationToken cancellation)
    {
        _leases = leases;
        return Task.CompletedTask;
    }

    /// <summary>All mounts that there are.</summary>
    /// <param name="containerOf">The id of a process's container.</param>
    public IReadOnlyList<FoundMount> Look(Func<int, ContainerId> containerOf) =>
        [.. Kernel.Mounts.Select(mount => Found(containerOf(mount.Key), mount.Key, mount.Value))];

    private static FoundMount Found(ContainerId container, int pid, LeaseKernel.Mounted mount) =>
        new(container, pid, 1, mount.Id, "/dev/loop7", mount.Image, "/crashcart.img", default, mount.BySessions);

    private void RequireHeld(IAttachedImage image)
    {
        if (((Thing)image).IsGivenBack)
            Violations.Add("An image that was given back is mounted.");
    }

    private Task<T> BeginForPeople<T>(string what, Func<T> make) => Begin($"people {++_forPeople:000} {what}", make);

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
            if (!TryMake(make, done, out var made))
                return;
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
            if (!succeeds)
                done.SetException(Failure(name));
            else if (TryMake(make, done, out var made))
                done.SetResult(made);
        });
        return done.Task;
    }

    /// <summary>False when it cannot be made as things are, which is the answer.</summary>
    private static bool TryMake<T>(Func<T> make, TaskCompletionSource<T> done, [MaybeNullWhen(false)] out T made)
    {
        try
        {
            made = make();
            return true;
        }
        catch (NodeException e)
        {
            made = default;
            done.SetException(e);
            return false;
        }
    }

    private void Begin(string name, Action<bool> finish)
    {
        if (!_underWay.TryAdd(name, finish))
            Violations.Add($"To {name} was begun while it was under way.");
    }

    private static NodeException Failure(string name) => new(NodeFailure.Failed, $"Could not {name}.");

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

        public Thing(LeaseWorld world, string end, string imageKey)
        {
            (_world, _end, ImageKey) = (world, end, imageKey);
            world._owned.Add(end);
        }

        public bool IsGivenBack => _isGivenBack;

        public string LoopDevice => "/dev/loop7";

        public string ImageKey { get; }

        /// <summary>Is called when it has gone, or could not.</summary>
        public Action<bool> Ended { get; init; } = _ => { };

        public ValueTask DisposeAsync()
        {
            if (IsGivenBack)
                _world.Violations.Add($"It was asked twice to {_end}.");
            var gone = _world.Begin(_end, () => true).ContinueWith(
                ended =>
                {
                    _world._owned.Remove(_end);
                    Ended(ended.IsCompletedSuccessfully);
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
        // One each: of several who wait for one task not all go on at once on the thread that completes it.
        private readonly TaskCompletionSource _exited = new();
        private volatile bool _isGivenBack;

        public Target(LeaseWorld world, ContainerId container, int pid)
        {
            (_world, Container, Pid) = (world, container, pid);
            world._owned.Add($"close {pid}");
            world._targets.Add(this);
            if (world.Kernel.HasExited(pid))
                Exit();
        }

        public ContainerId Container { get; }

        public int Pid { get; }

        public bool IsGivenBack => _isGivenBack;

        public Task Exited => _exited.Task;

        public void Exit() => _exited.TrySetResult();

        public ValueTask DisposeAsync()
        {
            _world._owned.Remove($"close {Pid}");
            _isGivenBack = true;
            return default;
        }
    }
}
