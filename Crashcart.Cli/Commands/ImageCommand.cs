using System.CommandLine;
using Crashcart.Cli.Output;
using Crashcart.Image;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image</c>: makes toolbox images.</summary>
internal static class ImageCommand
{
    public static Command Create() => new("image", "Make toolbox images.") { Build() };

    private static Command Build()
    {
        var recipe = new Option<string>("--file", "-f") { Description = "The recipe.", HelpName = "RECIPE", Required = true };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The image to write (./crashcart.img).",
            HelpName = "FILE",
            DefaultValueFactory = _ => "crashcart.img",
        };
        var command = new Command("build", """
            Build a toolbox image of Debian packages, as a recipe says.

            It needs neither root nor Docker. Packages come from this host's own apt sources, are checked against the archive's
            signatures and kept in $XDG_CACHE_HOME/crashcart/image. The same packages always give the same bytes.
            """) { recipe, output };
        command.SetAction((parsed, _) => BuildAsync(parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(output)));
        return command;
    }

    private static async Task<int> BuildAsync(string recipe, string output)
    {
        using var cancel = new CancellationTokenSource();
        var signal = 0;
        using var relay = new SignalRelay(number =>
        {
            Interlocked.CompareExchange(ref signal, number, 0);
            cancel.Cancel();
        });
        try
        {
            await new ImageBuilder(Recipe.FromFile(recipe), Console.Error).BuildAsync(output, cancel.Token);
            return ExitStatus.Success;
        }
        catch (Exception e) when (signal != 0 && e is ImageBuildException or OperationCanceledException)
        {
            // A terminal's signal also ends the programs that the build runs, and their failures say nothing new.
            return ExitStatus.Signalled(signal);
        }
        catch (ImageBuildException e)
        {
            StandardText.Complain(string.Join('\n', e.Message.Split('\n').Select(SafeText.Of)));
            return ExitStatus.Failed;
        }
    }
}
