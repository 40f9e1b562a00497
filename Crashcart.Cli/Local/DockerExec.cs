using System.ComponentModel;
using System.Diagnostics;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Local;

/// <summary>The original's <c>-e</c>: the tool is run by <c>docker exec</c>, from the image mounted for the whole container meanwhile.</summary>
internal static class DockerExec
{
    private const string Toolbox = $"{SharedMount.Path}/bin:{SharedMount.Path}/sbin";
    private const string UsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <returns>The status of <c>docker exec</c>, which is the tool's.</returns>
    /// <exception cref="CrashcartException">No such container, no docker client, or the image cannot be mounted.</exception>
    public static async Task<int> RunAsync(string name, string? imageFlag, IReadOnlyList<string> words, Action<string>? say)
    {
        Root.Require("-e");
        var target = await LocalTarget.FindAsync(name);
        if (target.ContainerId is null)
            throw new CrashcartException(FailureReason.BadRequest, $"-e goes through `docker exec`, and {name} is a PID; give a container, or leave -e out");
        using var process = target.Open();
        using var image = AttachedImage.Attach(Settings.Image(imageFlag));

        // What `crashcart mount` left there is not ours to unmount.
        var wasMounted = SharedMount.Find(process) is not null;
        await SharedMount.AttachAsync(process, image);
        say?.Invoke($"mounted {image.Path} at {SharedMount.Path} of {target.ContainerId[..12]}");
        try
        {
            return await RunDockerAsync(Arguments(target, words, UserTerminal.IsTerminal(0) && UserTerminal.IsTerminal(1)), say);
        }
        finally
        {
            if (!wasMounted)
                await UnmountAsync(process, say);
        }
    }

    internal static IReadOnlyList<string> Arguments(LocalTarget target, IReadOnlyList<string> words, bool terminal)
    {
        var path = target.Container?.Config?.Env?.FirstOrDefault(variable => variable.StartsWith("PATH=", StringComparison.Ordinal))?[5..];
        return
        [
            "exec", terminal ? "-it" : "-i", "-e", $"PATH={Toolbox}:{path ?? UsualPath}",
            target.ContainerId!, .. words.Count > 0 ? words : ExecCommand.Shell,
        ];
    }

    private static async Task<int> RunDockerAsync(IReadOnlyList<string> arguments, Action<string>? say)
    {
        say?.Invoke($"docker {string.Join(' ', arguments)}");
        using var docker = Start(arguments);
        // A terminal's Ctrl-C reaches docker by itself; it is we who must outlive it, to unmount.
        using var relay = new SignalRelay(signal => EndOn(signal, docker));
        await docker.WaitForExitAsync();
        return docker.ExitCode;
    }

    private static Process Start(IReadOnlyList<string> arguments)
    {
        try
        {
            return Process.Start("docker", arguments);
        }
        catch (Win32Exception e)
        {
            throw new CrashcartException(
                FailureReason.Unavailable, $"-e needs the docker client, and it cannot be run: {e.Message}; install it, or leave -e out", e);
        }
    }

    private static void EndOn(int signal, Process docker)
    {
        const int Hangup = 1, Terminate = 15;
        if (signal is Hangup or Terminate && !docker.HasExited)
            docker.Kill();
    }

    private static async Task UnmountAsync(TargetProcess process, Action<string>? say)
    {
        try
        {
            await SharedMount.DetachAsync(process);
            say?.Invoke($"unmounted {SharedMount.Path}");
        }
        catch (CrashcartException e)
        {
            // The tool's status is what was asked for; another user of the mount, or the container's end, is no failure of it.
            if (e.Reason != FailureReason.TargetGone)
                StandardText.Complain(SafeText.Of(e.Message));
        }
    }
}
