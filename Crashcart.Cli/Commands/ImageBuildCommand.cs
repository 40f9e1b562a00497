using System.CommandLine;
using Crashcart.Cli.Output;
using Crashcart.Image;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image build</c>: a toolbox image of Debian packages.</summary>
internal static class ImageBuildCommand
{
    private static readonly Option<string> File = new("--file", "-f")
    {
        HelpName = "RECIPE",
        Description = $"The recipe: a file, or the name of one that is built in ({RecipeLoader.Default})",
        DefaultValueFactory = _ => RecipeLoader.Default,
    };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        HelpName = "FILE",
        Description = "The image to write (./crashcart.img)",
        DefaultValueFactory = _ => "crashcart.img",
    };

    private static readonly Option<string> Architecture = new("--arch")
    {
        HelpName = "amd64|arm64",
        Description = "The machine that the image is for (this host's, unless the recipe says another)",
    };

    private static readonly Option<string> Format = new("--format")
    {
        HelpName = string.Join('|', FileSystem.Names),
        Description = $"The file system ({FileSystem.Names[0]}, unless the recipe says another)",
    };

    private static readonly Option<string> Compression = new("--compression")
    {
        HelpName = "NAME[,LEVEL]",
        Description = "As mkfs.erofs and mksquashfs know it (lz4hc,9 for erofs, zstd,15 for squashfs)",
    };

    private static readonly Option<bool> Docs = new("--docs")
    {
        Description = "With manual pages",
    };

    private static readonly Option<string> Sources = new("--sources")
    {
        HelpName = "FILE",
        Description = "apt sources in place of this host's own: a .list or .sources file",
    };

    private static readonly Option<string> Lock = new("--lock")
    {
        HelpName = "FILE",
        Description = "The lock that pins the packages (the recipe's name with .lock, when there is one)",
    };

    private static readonly Option<bool> Update = new("--update")
    {
        Description = "Resolve packages afresh, for all architectures unless --arch names one, and write the lock",
    };

    public static Command Create()
    {
        var command = new Command("build", $"""
            Build a toolbox image of Debian packages, as a recipe says.

            It needs neither root nor Docker. Packages come from this host's own apt sources, are checked against the archive's
            signatures and kept in $XDG_CACHE_HOME/crashcart/image. The same packages always give the same bytes.

            Recipes that are built in: {string.Join(", ", RecipeLoader.Shipped)}.
            """) { File, Output, Architecture, Format, Compression, Docs, Sources, Lock, Update };
        command.SetAction((parsed, _) => BuildAsync(parsed.GetRequiredValue(File), new BuildOptions
        {
            Output = parsed.GetRequiredValue(Output),
            Architecture = parsed.GetValue(Architecture),
            Format = parsed.GetValue(Format),
            Compression = parsed.GetValue(Compression),
            Docs = parsed.GetValue(Docs) ? true : null,
            Sources = parsed.GetValue(Sources),
            Lock = parsed.GetValue(Lock),
            Update = parsed.GetValue(Update),
        }));
        return command;
    }

    private static async Task<int> BuildAsync(string recipe, BuildOptions options)
    {
        using var cancel = new CancellationTokenSource();
        var log = Terminal();
        var signal = 0;
        using var relay = new SignalRelay(number =>
        {
            Interlocked.CompareExchange(ref signal, number, 0);
            cancel.Cancel();
        });
        try
        {
            await new ImageBuilder(RecipeLoader.Load(recipe), options, log).BuildAsync(cancel.Token);
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
        finally
        {
            log.End();
        }
    }

    private static BuildLog Terminal()
    {
        var isTerminal = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return new BuildLog(Console.Error, isTerminal, isTerminal ? Console.BufferWidth : 0);
    }
}
