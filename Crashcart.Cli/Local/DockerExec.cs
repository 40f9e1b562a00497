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
            throw new CrashcartException(
                FailureReason.BadRequest, $"Option -e goes through 'docker exec', and {name} is a PID; give a container, or leave -e out.");
        using var process = target.Open();
        using var image = AttachedImage.Attach(Settings.Image(imageFlag));

        // From here on crashcart must outlive every signal, to unmount. A terminal's Ctrl-C reaches docker by itself.
        Process? docker = null;
        using var relay = new SignalRelay(signal =>
        {
            if (signal is Signals.Hangup or Signals.Terminate)
                Volatile.Read(ref docker)?.Kill();
        });

        // The lease unmounts at the end, unless another session or 'crashcart mount' wants the mount to stay.
        await using var lease = await SharedMountLease.TakeAsync(process, image, CancellationToken.None);
        say?.Invoke($"Mounted {image.Path} at {SharedMount.Path} of {target.ContainerId[..12]}.");
        var arguments = Arguments(target, words, ExecCommand.HasTerminal());
        say?.Invoke($"Running docker {string.Join(' ', arguments)}.");
        using var started = Start(arguments);
        Volatile.Write(ref docker, started);
        await started.WaitForExitAsync();
        return started.ExitCode;
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

    private static Process Start(IReadOnlyList<string> arguments)
    {
        try
        {
            return Process.Start("docker", arguments);
        }
        catch (Win32Exception e)
        {
            throw new CrashcartException(
                FailureReason.Unavailable, $"Option -e needs the docker client, and it cannot be run: {e.Message.TrimEnd('.')}; install it, or leave -e out.", e);
        }
    }
}
