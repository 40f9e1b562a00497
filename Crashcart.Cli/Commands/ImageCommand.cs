using System.CommandLine;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image</c>: toolbox images.</summary>
internal static class ImageCommand
{
    public static Command Create() => new("image", "Make toolbox images, and look into them.")
    {
        ImageBuildCommand.Create(),
        ImageInspectCommand.Create(),
        ImageVerifyCommand.Create(),
    };
}
