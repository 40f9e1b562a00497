using System.Collections.Concurrent;

namespace Crashcart.Image;

/// <summary>
/// Starts every promised program in a root that holds nothing but the image: in a user namespace, where root has no power
/// over the host either, or as root by chroot(2) where the kernel gives none.
/// </summary>
internal sealed class StartCheck
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    private readonly string _root;
    private readonly Recipe _recipe;
    private readonly BuildLog _log;
    private readonly IReadOnlyDictionary<string, string> _environment;

    /// <param name="root">A directory that holds the tree below <see cref="Tree.MountPoint"/>.</param>
    /// <param name="recipe">Names the programs.</param>
    /// <param name="log">Told when this host cannot start them.</param>
    public StartCheck(string root, Recipe recipe, BuildLog log)
        => (_root, _recipe, _log, _environment) = (root, recipe, log, SessionVariables.Of(recipe));

    /// <exception cref="ImageBuildException">Lists every program that does not start, and what it said.</exception>
    public void Run(Architecture architecture, CancellationToken cancel)
    {
        if (RootChanger() is not { } changer)
        {
            _log.Step("Programs were not started to check them, only their files were looked at: this kernel lets "
                + $"{Environment.UserName} make no user namespace (see user_namespaces(7)). Build as root to have them started");
            return;
        }

        if (Emulator.For(architecture, _root) is not { } emulator)
        {
            _log.Step($"Programs were not started to check them, only their files were looked at: they are for {architecture.Name}, and "
                + $"{architecture.Emulator} is not installed (apt-get install qemu-user-static)");
            return;
        }

        // Every container has this one, and some tools do not start without it. A user may not make the device.
        File.WriteAllText(_root + "/dev/null", "");
        var faults = new ConcurrentDictionary<string, string>();
        var programs = _recipe.Executables.Where(e => e.Value is not null).ToList();
        var started = 0;
        Parallel.ForEach(programs, new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = Environment.ProcessorCount }, program =>
        {
            _log.Live($"Starting programs: {Interlocked.Increment(ref started)} of {programs.Count}, {program.Key}");
            var words = program.Value!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (emulator.Command(program.Key, words, _recipe) is { } command && Fault(program.Key, words, changer, command, cancel) is { } fault)
                faults[program.Key] = fault;
        });

        Faults.Throw([.. faults.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value)]);
        _log.Step($"Started {programs.Count} programs in an empty root{(emulator.IsNeeded ? $", by {architecture.Emulator}" : "")}");
    }

    private string? Fault(
        string name, string[] arguments, (HostProgram Program, string[] Arguments) changer, IEnumerable<string> command, CancellationToken cancel)
    {
        var (status, said) = changer.Program.Try([.. changer.Arguments, .. command], StartLimit, _environment, cancel);
        var line = string.Join(' ', arguments.Prepend(name));
        return status switch
        {
            0 => null,
            null => $"{line} did not end in {StartLimit.TotalSeconds} s",
            _ => $"{line} ended with status {status}: {said}",
        };
    }

    private (HostProgram Program, string[] Arguments)? RootChanger()
    {
        // With a network of their own they may make raw sockets.
        string[] namespaces = ["--user", "--map-root-user", "--net"];
        if (HostProgram.TryFind("unshare") is { } unshare
            && unshare.Try([.. namespaces, "true"], StartLimit, new Dictionary<string, string>()).Status == 0)
            return (unshare, [.. namespaces, "--root", _root]);
        return Environment.IsPrivilegedProcess ? (HostProgram.Find("chroot", "coreutils"), [_root]) : null;
    }
}
