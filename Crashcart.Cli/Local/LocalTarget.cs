using System.Globalization;
using Crashcart.Cli.Docker;
using Crashcart.Native;

namespace Crashcart.Cli.Local;

/// <summary>A process on this host, and the container that it is to belong to.</summary>
/// <param name="ContainerId">Null when the target was given as a PID.</param>
/// <param name="Container">What Docker told, when it was asked.</param>
internal sealed record LocalTarget(int Pid, string? ContainerId, ContainerInspection? Container)
{
    // As short as docker(1) prints ids. Fewer digits are rather a PID that is gone than the beginning of an id.
    private const int ShortIdLength = 12;

    /// <summary>
    /// A PID, when such a process exists; else the container that Docker knows by the name, id or id prefix; else the one
    /// whose id, in some process's cgroup, begins so.
    /// </summary>
    /// <exception cref="CrashcartException">There is none, it does not run, or there are several.</exception>
    public static async Task<LocalTarget> FindAsync(string text)
    {
        if (text.Length == 0)
            throw new CrashcartException(FailureReason.BadRequest, "The target is empty; give a PID, a container, or NODE/CONTAINER.");
        var isNumber = text.All(char.IsAsciiDigit);
        if (isNumber && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && (pid == 0 || Exists(pid)))
            return new LocalTarget(pid, null, null);

        ContainerInspection? container = null;
        CrashcartException? unavailable = null;
        try
        {
            using var docker = new DockerEngine(DockerEndpoint.FromEnvironment());
            container = await docker.InspectAsync(text);
        }
        catch (CrashcartException e) when (e.Reason == FailureReason.Unavailable)
        {
            unavailable = e;
        }

        if (container is not null && (!isNumber || text.Length >= ShortIdLength || container.Name == "/" + text))
            return OfContainer(container);
        if (!isNumber || text.Length >= ShortIdLength)
        {
            if (await FindByIdAsync(text) is { } found)
                return found;
        }

        throw NotFound(text, isNumber, unavailable);
    }

    /// <summary>Opens the process, checked against the container.</summary>
    /// <exception cref="CrashcartException">As <see cref="TargetProcess.Open"/>.</exception>
    public TargetProcess Open(bool allowHost = false) => TargetProcess.Open(Pid, allowHost, ContainerId);

    internal static LocalTarget OfContainer(ContainerInspection container) => container.State is { Running: true, Pid: > 0 }
        ? new LocalTarget(container.State.Pid, container.Id, container)
        : throw new CrashcartException(
            FailureReason.TargetNotRunning,
            $"The container {container.Name.TrimStart('/')} is not running ({container.State.Status}); start it first.");

    private static async Task<LocalTarget?> FindByIdAsync(string prefix)
    {
        if (!prefix.All(char.IsAsciiHexDigitLower))
            return null;
        return await Task.Run(() => TargetProcess.FindByContainerId(prefix)) switch
        {
            [] => null,
            [var (id, pid)] => new LocalTarget(pid, id, null),
            var several => throw new CrashcartException(
                FailureReason.BadRequest,
                $"'{prefix}' begins the ids of {several.Count} containers ({string.Join(", ", several.Take(3).Select(c => c.ContainerId[..ShortIdLength]))}…); give more of it."),
        };
    }

    private static CrashcartException NotFound(string text, bool isNumber, CrashcartException? unavailable)
    {
        if (isNumber && text.Length < ShortIdLength)
            return new CrashcartException(
                FailureReason.TargetGone, $"There is no process {text}; it has ended, or lives in another PID namespace than crashcart.");
        return unavailable is null
            ? new CrashcartException(
                FailureReason.TargetGone,
                $"There is no container '{text}' on this host; 'docker ps' lists them, and 'crashcart exec NODE/CONTAINER' reaches another host's.")
            : new CrashcartException(
                FailureReason.Unavailable,
                $"{unavailable.Message.TrimEnd('.')}, and no process here is in a container whose id begins with '{text}'; "
                + "start Docker, set DOCKER_HOST, or give a PID.",
                unavailable);
    }

    private static bool Exists(int pid) => Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}"));
}
