using System.CommandLine;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Local;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart mount</c>: the image where the whole container sees it.</summary>
internal static class MountCommand
{
    public static Command Create()
    {
        var command = new Command("mount", """
            Mount the toolbox at /dev/crashcart of one container.

            Everything in the container sees it, until 'crashcart unmount' or the container's end; 'crashcart
            mounts' lists it. TARGET is a PID, a Docker container's name or the beginning of its id, the beginning
            of any container's id, or NODE/CONTAINER. The last goes through the coordinator, as every target does
            with --coordinator; for the others no daemon is needed.

            A second image has room beside it, with --at /dev/crashcart-NAME: one with data, or with programs that
            are static. Those of 'crashcart image build' are for /dev/crashcart alone.
            """);
        var target = new Argument<string>("TARGET");
        var image = CommonOptions.AnyImage();
        var at = CommonOptions.At();
        var reason = CommonOptions.Reason();
        var coordinator = CommonOptions.Coordinator();
        command.Add(target);
        command.Add(image);
        command.Add(at);
        command.Add(reason);
        command.Add(coordinator);
        command.SetAction((parsed, _) =>
        {
            var name = parsed.GetValue(target)!;
            var path = MountPath.Parse(parsed.GetValue(at) ?? SharedMount.Path);
            if (!RemoteMounts.IsRemote(name, parsed.GetValue(coordinator)))
                return RunAsync(name, ImageNames.Here(parsed.GetValue(image)), path, say: null);
            var request = new Api.MountRequest { Container = name, Image = ImageNames.InFleet(parsed.GetValue(image)), Path = path.ToString(), Reason = parsed.GetValue(reason) ?? "" };
            return RemoteMounts.MountAsync(parsed.GetValue(coordinator), request, isSelection: false);
        });
        return command;
    }

    /// <param name="target">PID or container.</param>
    /// <param name="imageFlag">The image that the command line names, or null.</param>
    /// <param name="at">Where in the container.</param>
    /// <param name="say">Takes sentences about what is done, when the person wants them.</param>
    public static async Task<int> RunAsync(string target, string? imageFlag, MountPath at, Action<string>? say)
    {
        Root.Require("mount");
        using var process = (await LocalTarget.FindAsync(target)).Open();
        using var image = AttachedImage.Attach(Settings.Image(imageFlag));
        var mount = await SharedMount.AttachAsync(process, image, at);
        say?.Invoke($"Mounted {image.Path} ({image.FileSystem} on {mount.LoopDevice}) at {at} of process {process.Pid}.");
        return ExitStatus.Success;
    }
}
