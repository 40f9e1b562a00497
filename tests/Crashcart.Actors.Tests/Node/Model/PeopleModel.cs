namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>What people hold: requests for mounts and against them, and leases, which end with their mounts.</summary>
internal sealed class PeopleModel(LeaseModel all)
{
    private readonly LeaseModel _all = all;
    private readonly List<Request> _requests = [];
    private readonly HashSet<(int Pid, int Mount)> _leases = [];
    private readonly Dictionary<int, Watch> _watches = [];

    /// <summary>The mounts that people hold.</summary>
    public IEnumerable<(int Pid, int Mount)> Leases => _leases.Order();

    public void Mount(SlotModel asker, int pid) => _requests.Add(new Request(this, asker, pid));

    public void Unmount(SlotModel asker, int pid) => _all.Open(pid, opened =>
    {
        if (!opened)
        {
            asker.Tell($"cannot unmount {pid}");
            return;
        }

        _all.BeginForPeople("unmount", succeeds => OnUnmounted(asker, pid, succeeds));
    });

    /// <summary>Nobody waits for what is not being mounted yet.</summary>
    public void OnDeath(SlotModel asker) => EndRequests(request => request.Asker == asker);

    /// <summary>As long passes as a request may take until it mounts.</summary>
    public void Wait() => EndRequests(_ => true);

    public void OnExit(int pid)
    {
        if (_watches.GetValueOrDefault(pid) is { Sees: true })
            End(pid);
    }

    /// <summary>The node compares its leases with what the kernel has.</summary>
    public void Reconcile()
    {
        foreach (var lease in _leases.Where(lease => _all.Kernel.Mounts.GetValueOrDefault(lease.Pid)?.Id != lease.Mount).ToList())
            End(lease.Pid);
    }

    private void EndRequests(Func<Request, bool> isOver)
    {
        foreach (var request in _requests.Where(isOver).ToList())
            request.GiveUp();
    }

    private void OnUnmounted(SlotModel asker, int pid, bool succeeds)
    {
        if (!succeeds || _all.HasExited(pid) || _all.Kernel.UnmountForPeople(pid) is not { } wasThere)
        {
            asker.Tell($"cannot unmount {pid}");
            return;
        }

        asker.Tell(wasThere ? $"has unmounted {pid}" : $"finds nothing in {pid}");
        End(pid);
    }

    private void Hold(int pid, int mount)
    {
        _leases.Add((pid, mount));
        if (_watches.ContainsKey(pid))
            return;
        var watch = _watches[pid] = new Watch();
        _all.Open(pid, opened =>
        {
            watch.Sees = opened && _watches.GetValueOrDefault(pid) == watch;
            if (watch.Sees && _all.HasExited(pid))
                End(pid);
        });
    }

    private void End(int pid)
    {
        if (_leases.RemoveWhere(lease => lease.Pid == pid) > 0)
            _watches.Remove(pid);
    }

    /// <summary>Of a container's process, as long as there is a lease in it; without it an exit is found by comparing.</summary>
    private sealed class Watch
    {
        public bool Sees { get; set; }
    }

    /// <summary>One person's wish for a mount, which holds the image until the mount does.</summary>
    private sealed class Request : ILeaseHolder
    {
        private readonly PeopleModel _people;
        private readonly int _pid;
        private bool _isMounting;

        public Request(PeopleModel people, SlotModel asker, int pid)
        {
            (_people, Asker, _pid) = (people, asker, pid);
            people._all.Open(pid, opened =>
            {
                if (!IsAlive)
                    return;
                if (opened)
                    people._all.AcquireImage(this);
                else
                    Refuse();
            });
        }

        public SlotModel Asker { get; }

        public bool IsAlive { get; private set; } = true;

        public void Grant(IHolderSet owner)
        {
            if (!IsAlive)
                return;
            if (!_people._all.HasExited(_pid))
                owner.UseIn(_pid);
            _isMounting = true;
            _people._all.BeginForPeople("mount", succeeds => OnMounted(owner, succeeds));
        }

        public void Refuse()
        {
            if (!IsAlive)
                return;
            Asker.Tell($"gets no lease in {_pid}");
            Stop();
        }

        public void GiveUp()
        {
            if (!_isMounting)
                Refuse();
        }

        private void OnMounted(IHolderSet image, bool succeeds)
        {
            if (!succeeds || _people._all.Kernel.MountForPeople(_pid, image.Name) is not { } mount)
            {
                Refuse();
                return;
            }

            Asker.Tell($"has a lease in {_pid}");
            _people.Hold(_pid, mount.Id);
            Stop();
        }

        private void Stop()
        {
            IsAlive = false;
            _people._requests.Remove(this);
            _people._all.Forget(this);
        }
    }
}
