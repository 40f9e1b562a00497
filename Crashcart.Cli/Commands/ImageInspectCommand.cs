using System.CommandLine;
using System.Globalization;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Images;
using Crashcart.Cli.Output;
using Crashcart.Image;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image inspect</c>: what an image says of itself.</summary>
internal static class ImageInspectCommand
{
    private static readonly string[] Headings = ["PACKAGE", "VERSION", "LICENCE"];

    public static Command Create()
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The image (CRASHCART_IMAGE, or where 'exec' finds it)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var format = CommonOptions.Format();
        var command = new Command("inspect", """
            Tell what is in an image: its packages with versions and licences, and its programs.

            With --output json it is the image's own manifest.json. The image is mounted nowhere.
            """) { file, format };
        command.SetAction(parsed =>
        {
            var isJson = Listing.IsJson(parsed, format);
            var path = Settings.Image(parsed.GetValue(file));
            return ImageReport.Of(path, (image, _) =>
            {
                var contents = ImageContents.Read(image.Root);
                StandardText.Output(isJson ? contents.Json : Table(path, image.FileSystem, contents));
                return ExitStatus.Success;
            });
        });
        return command;
    }

    private static string Table(string path, string fileSystem, ImageContents contents)
    {
        var size = (new FileInfo(path).Length / 1e6).ToString("F1", CultureInfo.InvariantCulture);
        (string Name, string Value)[] facts =
        [
            ("file", $"{path}, {size} MB, {fileSystem}"),
            ("name", contents.Name),
            ("architecture", contents.Architecture),
            ("release", contents.Release),
            ("content", contents.Content),
            ("programs", string.Join(' ', contents.Executables)),
        ];
        return string.Concat(facts.Select(fact => $"{fact.Name + ":",-14}{SafeText.Of(fact.Value)}\n"))
            + "\n" + TextTable.Of(Headings, contents.Packages.Select(p => (IReadOnlyList<string>)[p.Name, p.Version, p.Licence]));
    }
}
