namespace Crashcart.Native;

/// <summary>
/// Owns what has to be given back when one tool ends, or never starts: its guardian, its cgroups, its claim on a shared mount.
/// </summary>
internal sealed class ToolSession : IAsyncDisposable
{
    private const int SigKill = 9;

    /// <summary>What a tool gets between SIGHUP and SIGKILL when this process was killed.</summary>
    private const int GraceMs = 1000;

    private readonly TargetProcess _target;
    private readonly ToolSpec _spec;
    private readonly SessionCgroup _cgroup;
    private readonly SharedMountLease? _lease;
    private readonly EnterChild _guardian;

    private ToolSession(TargetProcess target, ToolSpec spec, SessionCgroup cgroup, SharedMountLease? lease, EnterChild guardian)
    {
        _target = target;
        _spec = spec;
        _cgroup = cgroup;
        _lease = lease;
        _guardian = guardian;
    }

    public EnterControl Control => _guardian.Control;

    /// <summary>Starts the guardian; when this throws nothing is left.</summary>
    public static async Task<ToolSession> StartAsync(
        TargetProcess target, AttachedImage image, ToolSpec spec, ToolPipes pipes, CancellationToken cancellation)
    {
        ToolCapabilities capabilities = Capabilities.For(spec, target.BoundingSet);
        SharedMountLease? lease = spec.Shared ? await SharedMountLease.TakeAsync(target, image, cancellation).ConfigureAwait(false) : null;
        EnterChild? guardian = null;
        try
        {
            // The guardian lives before the cgroups do, and removes them when this process is killed while it makes them.
            IReadOnlyList<CgroupHierarchy> hierarchies = CgroupHierarchy.ReadOwn();
            using DevicePolicy devices = spec.BaseProfile == "privileged" ? DevicePolicy.None : DevicePolicy.Of(target, hierarchies);
            SessionCgroup cgroup = SessionCgroup.Plan(hierarchies, spec.SessionName, spec.Limits, devices.Rules);
            using Descriptor? tree = spec.Shared ? null : image.CloneTree();
            EnterRequest request = Request(target, spec, capabilities, cgroup, tree, lease);
            guardian = EnterProgram.Start("exec", request, pipes.Input, pipes.Output, pipes.Errors);
            FaultPoint.Reach("exec-guardian-started");
            cgroup.Make(devices);
            FaultPoint.Reach("exec-cgroups-made");
            guardian.Control.SendGo();
            FaultPoint.Reach("exec-go-sent");
            return new ToolSession(target, spec, cgroup, lease, guardian);
        }
        catch
        {
            if (guardian is not null)
                await guardian.DisposeAsync().ConfigureAwait(false);
            if (lease is not null)
                await lease.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits until the tool has been executed.</summary>
    /// <returns>The terminal's master, when it has one.</returns>
    /// <exception cref="CrashcartException">The tool was not started; says why.</exception>
    public async Task<Descriptor?> WaitStartedAsync(CancellationToken cancellation)
    {
        Descriptor? terminal = null;
        try
        {
            while (true)
            {
                EnterMessage message = await Control.ReceiveAsync(cancellation).ConfigureAwait(false)
                    ?? throw new CrashcartException(
                        FailureReason.System,
                        $"crashcart-enter was killed before '{_spec.Arguments[0]}' had started in the container of process {_target.Pid}: try again.");
                if (message.Kind == EnterMessageKind.Terminal)
                    terminal = message.Descriptor;
                else if (message.Kind == EnterMessageKind.Failed)
                    throw EnterFailure.Describe(message, _target, _spec);
                else if (message.Kind == EnterMessageKind.Started)
                    return terminal;
            }
        }
        catch
        {
            terminal?.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the tool has ended.</summary>
    public async Task<ToolExit> WaitExitedAsync()
    {
        while (await Control.ReceiveAsync().ConfigureAwait(false) is { } message)
        {
            if (message.Kind == EnterMessageKind.Exited)
                return new ToolExit(message.A, message.B);
        }
        // The guardian was killed, and the tool is about to be.
        return new ToolExit(128 + SigKill, SigKill);
    }

    /// <summary>Ends what still runs; the tool's exit is told after that, as ever.</summary>
    public Task StopAsync() => _guardian.EndAsync();

    /// <summary>Ends what still runs, and waits until nothing of the session is left.</summary>
    public async ValueTask DisposeAsync()
    {
        FaultPoint.Reach("release-begun");
        await _guardian.DisposeAsync().ConfigureAwait(false);
        FaultPoint.Reach("release-guardian-gone");
        await _cgroup.EmptyAndRemoveAsync().ConfigureAwait(false);
        FaultPoint.Reach("release-cgroups-gone");
        if (_lease is not null)
            await _lease.DisposeAsync().ConfigureAwait(false);
    }

    private static EnterRequest Request(
        TargetProcess target, ToolSpec spec, ToolCapabilities capabilities, SessionCgroup cgroup, Descriptor? tree, SharedMountLease? lease)
    {
        var request = new EnterRequest(target);
        request.Add("userns", target.Namespaces.OwnUserNamespace);
        if (tree is not null)
            request.Add("tree", tree);
        if (lease is not null)
            request.Add("mount", lease.MountId);
        if (cgroup.Unified is { } unified)
            request.Add("cgroup", unified);
        foreach (string legacy in cgroup.Legacy)
            request.Add("cgroup1", legacy);
        foreach (string directory in cgroup.Directories)
            request.Add("rmdir", directory);
        foreach (string directory in cgroup.Parents)
            request.Add("parent", directory);
        if (spec.Terminal is { } size)
            request.Add("terminal", $"{size.Rows}x{size.Columns}");
        if (spec.User is { } user)
            request.Add("user", user);
        request.Add("caps", $"{capabilities.Bounding:x}");
        request.Add("ambient", $"{capabilities.Ambient:x}");
        request.Add("nnp", capabilities.NoNewPrivileges);
        if (spec.BaseProfile != "privileged" && SecurityLabel.Of(target) is { } label)
            request.Add("label", label.ToString());
        if (capabilities.Filter is { } filter)
            request.Add("filter", Convert.ToHexStringLower(filter));
        request.Add("cwd", spec.WorkingDirectory ?? "/");
        request.Add("grace", GraceMs);
        IReadOnlyList<string> path = ToolEnvironment.SearchPath(target.TryReadProc("environ"));
        foreach (string argument in spec.Arguments)
            request.Add("arg", argument);
        foreach (string variable in ToolEnvironment.Variables(spec, path))
            request.Add("env", variable);
        foreach (string directory in path)
            request.Add("path", directory);
        return request;
    }
}
