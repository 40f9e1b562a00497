using System.CommandLine;
using System.Runtime.Versioning;
using Crashcart.Image;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image</c>: makes toolbox images.</summary>
[SupportedOSPlatform("linux")]
internal static class ImageCommand
{
    /// <summary>As for everything that crashcart itself fails at.</summary>
    private const int Failed = 125;

    public static Command Create() => new("image", "Make toolbox images") { Build() };

    private static Command Build()
    {
        var recipe = new Option<string>("--file", "-f")
        {
            Description = "The recipe",
            HelpName = "RECIPE",
            Required = true,
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The image to write",
            HelpName = "FILE",
            DefaultValueFactory = _ => "crashcart.img",
        };
        var command = new Command("build", "Build an image of Debian packages, without privilege") { recipe, output };
        command.SetAction((parsed, cancel)
            => BuildAsync(parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(output), cancel));
        return command;
    }

    private static async Task<int> BuildAsync(string recipe, string output, CancellationToken cancel)
    {
        try
        {
            await new ImageBuilder(Recipe.FromFile(recipe), Console.Error).BuildAsync(output, cancel);
            return 0;
        }
        catch (ImageBuildException e)
        {
            await Console.Error.WriteLineAsync($"crashcart: {e.Message}");
            return Failed;
        }
    }
}
