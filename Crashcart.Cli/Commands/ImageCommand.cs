using System.CommandLine;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image</c>: toolbox images.</summary>
internal static class ImageCommand
{
    public static Command Create() => new("image", "Make toolbox images, look into them, and give them to the fleet.")
    {
        ImageBuildCommand.Create(),
        ImageInspectCommand.Create(),
        ImageVerifyCommand.Create(),
        ImagePushCommand.Create(),
        ImageListCommand.Create(),
        ImageRemoveCommand.Create(),
    };
}
