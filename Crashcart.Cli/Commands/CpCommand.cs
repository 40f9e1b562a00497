using System.CommandLine;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Copy;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart cp</c>: files and trees between this host and a container, here or through the coordinator.</summary>
internal static class CpCommand
{
    public static Command Create()
    {
        var command = new Command("cp", """
            Copy files and directories between this host and a container.

            One of FROM and TO is in a container: CONTAINER:/PATH or NODE/CONTAINER:/PATH, its container
            as 'crashcart exec' has it; the other is a path here. The container needs no tar, and no
            program at all. A path here with a colon is written with ./ before it.

            Into a directory that is there goes the file or directory under its own name; what is there
            of that name is replaced, directories are joined. Otherwise TO is the copy's name. FROM with
            /. at its end means what is in the directory. '-' is a tar archive: as TO on standard output,
            as FROM on standard input, unpacked into the directory TO.

            Contents, modes, times, links and holes stay as they are. The copy belongs to who copies it,
            in a container to root, and loses set-ID bits; --archive keeps both. Devices, FIFOs and
            sockets are left out. A copy gets its name when it is whole: one that fails leaves nothing.

            Exit status: 0, or 1 when something was left out or changed while it was read; each is told.
            125 nothing was copied.

            Example: crashcart cp web:/var/log/nginx .
            """);
        var from = new Argument<string>("FROM");
        var to = new Argument<string>("TO");
        var archive = new Option<bool>("--archive", "-a") { Description = "Keep owners, groups (by number) and set-ID bits" };
        var follow = new Option<bool>("--follow-link", "-L") { Description = "When FROM is a link, copy what it leads to; links in a directory stay links" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Show no progress" };
        var image = CommonOptions.AnyImage();
        var reason = CommonOptions.Reason();
        var coordinator = CommonOptions.Coordinator();
        command.Add(from);
        command.Add(to);
        foreach (Option option in (Option[])[archive, follow, quiet, image, reason, coordinator])
            command.Add(option);

        command.SetAction(async (parsed, _) =>
        {
            var (source, destination) = (CopyOperand.Parse(parsed.GetValue(from)!), CopyOperand.Parse(parsed.GetValue(to)!));
            var target = (source.Target, destination.Target) switch
            {
                (null, null) => throw Wrong($"Neither '{source.Name}' nor '{destination.Name}' is in a container; write one as CONTAINER:/PATH."),
                (not null, not null) => throw Wrong("A copy from container to container goes by way of this host: copy twice."),
                var (there, here) => there ?? here!,
            };
            if (destination.IsStream && UserTerminal.IsTerminal(1))
                throw Wrong("A tar archive is nothing for a terminal; send it to a file or a program: … > FILE.tar");
            var what = source.Target is null ? destination.Name : source.Name;
            var progress = new CopyProgress(what, parsed.GetValue(quiet) || destination.IsStream ? null : StatusLine.OnStandardError);
            using var host = await OpenAsync(target, parsed.GetValue(image), parsed.GetValue(reason) ?? "", parsed.GetValue(coordinator));
            return source.Target is null
                ? await IntoAsync(host, source, destination, parsed.GetValue(follow), parsed.GetValue(archive), progress)
                : await OutOfAsync(host, source, destination, parsed.GetValue(follow), parsed.GetValue(archive), progress);
        });
        return command;
    }

    private static async Task<ICopyHost> OpenAsync(string target, string? image, string reason, string? coordinator)
    {
        if (coordinator is not null || target.Contains('/', StringComparison.Ordinal))
            return new RemoteCopyHost(Settings.Coordinator(coordinator), target, ImageNames.InFleet(image), reason);
        Root.Require("cp");
        return await LocalCopyHost.OpenAsync(target, Settings.Image(ImageNames.Here(image)));
    }

    private static async Task<int> OutOfAsync(
        ICopyHost host, CopyOperand source, CopyOperand destination, bool follow, bool keepOwners, CopyProgress progress)
    {
        var file = ContainerFile.Parse(source.Path).RequireCopyable();
        var name = file.Name;
        if (follow && !file.IsContents)
        {
            var (status, led) = await FollowedLink.FindAsync(host, source, file);
            if (led is null)
                return status;
            file = led;
        }

        return destination.IsStream
            ? await StreamCopy.OutOfAsync(host, source, file)
            : await Download.RunAsync(host, source, file, name, destination.Path, keepOwners, progress);
    }

    private static Task<int> IntoAsync(
        ICopyHost host, CopyOperand source, CopyOperand destination, bool follow, bool keepOwners, CopyProgress progress)
    {
        var place = ContainerFile.Parse(destination.Path);
        return source.IsStream
            ? StreamCopy.IntoAsync(host, destination, place, keepOwners)
            : Upload.RunAsync(host, source.Path, follow, destination, place, keepOwners, progress);
    }

    private static CrashcartException Wrong(string sentence) => new(FailureReason.BadRequest, sentence);
}
