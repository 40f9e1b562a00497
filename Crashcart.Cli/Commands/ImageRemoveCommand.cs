using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image rm</c>: takes an image from the fleet.</summary>
internal static class ImageRemoveCommand
{
    public static Command Create()
    {
        var command = new Command("rm", """
            Remove a name, and the image with its last name, from all coordinators and nodes.

            IMAGE is NAME[:TAG], or sha256: and the first digits of a digest. Where tools still use the image it goes
            with the last of them. The image files that nodes were given stay. The exit status is 125 when a
            coordinator or a node was not reached, which may have the image still.
            """);
        var image = new Argument<string>("IMAGE");
        var force = new Option<bool>("--force", "-f") { Description = "Remove an image that has several names, by its digest" };
        var coordinator = CommonOptions.Coordinator();
        command.Add(image);
        command.Add(force);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var request = new RemoveImageRequest { Reference = parsed.GetValue(image), Force = parsed.GetValue(force) };
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Images.RemoveImageAsync(request));
            Tell(answer);
            return answer.Unanswered.Count > 0 ? ExitStatus.Failed : ExitStatus.Success;
        });
        return command;
    }

    private static void Tell(RemoveImageResponse answer)
    {
        foreach (var name in answer.Untagged)
            StandardText.Output($"Untagged: {SafeText.Of(name)}\n");
        if (answer.Removed.Length > 0)
            StandardText.Output($"Removed: {SafeText.Of(answer.Removed)}\n");
        foreach (var use in answer.Uses)
            StandardText.Error(SafeText.Of($"{use.Node} still uses it ({string.Join(", ", use.Users)}), and removes it with the last use.") + "\n");
        foreach (var silent in answer.Unanswered)
            StandardText.Complain(SafeText.Of($"{silent.Node} may have it still: {silent.Message}"));
    }
}
