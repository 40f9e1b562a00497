namespace Crashcart.Native;

/// <summary>
/// Which devices a container may open. Its cgroup says so, and a session is in another one: were the policy not carried
/// over, the container could make a node of the host's disk and have a tool open it.
/// </summary>
internal sealed class DevicePolicy : IDisposable
{
    private readonly IReadOnlyList<DeviceProgram> _programs;

    private DevicePolicy(IReadOnlyList<DeviceRule> rules, IReadOnlyList<DeviceProgram> programs)
    {
        Rules = rules;
        _programs = programs;
    }

    /// <summary>What the container's v1 cgroup allows; empty when it allows everything, or says nothing.</summary>
    public IReadOnlyList<DeviceRule> Rules { get; }

    /// <summary>No policy: a tool that opens whatever the host can.</summary>
    public static DevicePolicy None => new([], []);

    /// <summary>That of the target's container.</summary>
    /// <exception cref="CrashcartException">The target is gone, or its policy cannot be read.</exception>
    public static DevicePolicy Of(TargetProcess target, IReadOnlyList<CgroupHierarchy> hierarchies)
    {
        string memberships = target.TryReadProc("cgroup") ?? throw TargetProcess.Gone(target.Pid);
        IReadOnlyList<DeviceRule> rules = [];
        IReadOnlyList<DeviceProgram> programs = [];
        try
        {
            if (hierarchies.FirstOrDefault(hierarchy => hierarchy.Controllers.Contains("devices")) is { } legacy
                && legacy.DirectoryOf(memberships) is { } directory)
            {
                rules = DeviceRule.ParseAll(
                    ProcFile.TryRead(directory + "/devices.list")
                    ?? throw new SyscallException("open", Tmds.Linux.LibC.errno, directory + "/devices.list"));
            }
            if (hierarchies.FirstOrDefault(hierarchy => hierarchy.IsUnified)?.DirectoryOf(memberships) is { } unified)
                programs = DeviceProgram.EffectiveOn(unified);
        }
        catch (SyscallException e)
        {
            throw new CrashcartException(
                FailureReason.System,
                $"Which devices the container of process {target.Pid} may open cannot be told ({e.Message}): run crashcart in the host's "
                + "cgroup namespace, or with --profile privileged, which may open every device.",
                e);
        }
        return new DevicePolicy(rules.Any(rule => rule.IsEverything) ? [] : rules, programs);
    }

    /// <summary>Has the policy hold in a v2 cgroup.</summary>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public void ApplyTo(string cgroup)
    {
        foreach (DeviceProgram program in _programs)
            program.Attach(cgroup);
        if (Rules.Count == 0)
            return;
        using DeviceProgram rules = DeviceProgram.Load(Rules);
        rules.Attach(cgroup);
    }

    public void Dispose()
    {
        foreach (DeviceProgram program in _programs)
            program.Dispose();
    }
}
