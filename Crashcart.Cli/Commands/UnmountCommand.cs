using System.CommandLine;
using Crashcart.Cli.Local;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart unmount</c>: the end of <c>crashcart mount</c>.</summary>
internal static class UnmountCommand
{
    public static Command Create()
    {
        var command = new Command("unmount", """
            Unmount the toolbox from /dev/crashcart of one container.

            A mount there that is not crashcart's is left alone. While it is used it stays, and who uses it is
            said. TARGET is as for mount.
            """);
        var target = new Argument<string>("TARGET");
        var force = new Option<bool>("--force", "-f") { Description = "Detach it even while processes use it; they keep what they have open" };
        var at = CommonOptions.At();
        var reason = CommonOptions.Reason();
        var coordinator = CommonOptions.Coordinator();
        command.Add(target);
        command.Add(force);
        command.Add(at);
        command.Add(reason);
        command.Add(coordinator);
        command.SetAction((parsed, _) =>
        {
            var name = parsed.GetValue(target)!;
            var path = MountPath.Parse(parsed.GetValue(at) ?? SharedMount.Path);
            return RemoteMounts.IsRemote(name, parsed.GetValue(coordinator))
                ? RemoteMounts.UnmountAsync(
                    parsed.GetValue(coordinator),
                    new Api.UnmountRequest { Container = name, Force = parsed.GetValue(force), Path = path.ToString(), Reason = parsed.GetValue(reason) ?? "" },
                    isSelection: false)
                : RunAsync(name, parsed.GetValue(force), path, say: null);
        });
        return command;
    }

    /// <param name="target">PID or container.</param>
    /// <param name="force">Detach although it is in use.</param>
    /// <param name="at">Where in the container.</param>
    /// <param name="say">Takes sentences about what is done, when the person wants them.</param>
    public static async Task<int> RunAsync(string target, bool force, MountPath at, Action<string>? say)
    {
        Root.Require("unmount");
        using var process = (await LocalTarget.FindAsync(target)).Open();
        if (await SharedMount.DetachAsync(process, force, at))
            say?.Invoke($"Unmounted {at} of process {process.Pid}.");
        else
            StandardText.Complain($"Nothing of crashcart's is mounted at {at} in {SafeText.Of(target)}.");
        return ExitStatus.Success;
    }
}
