using System.CommandLine;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Images;
using Crashcart.Cli.Output;
using Crashcart.Image;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image verify</c>: whether an image is whole.</summary>
internal static class ImageVerifyCommand
{
    public static Command Create()
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "The image (CRASHCART_IMAGE, or where 'exec' finds it)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var digest = new Option<string>("--digest")
        {
            HelpName = "sha256:HEX",
            Description = "What the file's SHA-256 must be",
        };
        var command = new Command("verify", """
            Read all of an image and check it against the digest of content that its manifest states.

            Anybody who can change an image can change its manifest too: --digest compares the whole file with a digest from
            elsewhere. The exit status is 1 when the image is not right, and 125 when it could not be looked at.
            """) { file, digest };
        command.SetAction(parsed => Verify(Settings.Image(parsed.GetValue(file)), Digest(parsed.GetValue(digest))));
        return command;
    }

    private static int Verify(string path, string? wanted) => ImageReport.Of(path, (image, cancel) =>
    {
        var contents = ImageContents.Read(image.Root);
        var found = ImageContents.DigestOf(image.Root, cancel);
        if (found != contents.Content)
            return Wrong($"The image '{path}' is damaged: its content is {found}, and its manifest says {contents.Content}");

        var whole = ImageReport.DigestOf(path);
        StandardText.Output($"{whole}  {SafeText.Of(path)}\n");
        if (wanted is not null && wanted != whole)
            return Wrong($"The image '{path}' is whole, but another than {wanted}: it is {whole}");
        StandardText.Output(
            $"The content is what its manifest says: {SafeText.Of(contents.Name)} for {SafeText.Of(contents.Architecture)}, "
            + $"{contents.Packages.Count} packages, {contents.Executables.Count} programs.\n");
        return ExitStatus.Success;
    });

    private static string? Digest(string? digest)
    {
        var hex = digest is not null && digest.StartsWith("sha256:", StringComparison.Ordinal) ? digest[7..].ToLowerInvariant() : "";
        if (digest is not null && (hex.Length != 64 || !hex.All(char.IsAsciiHexDigit)))
            throw new CrashcartException(FailureReason.BadRequest, $"'{digest}' is no digest: give sha256: and 64 hexadecimal digits.");
        return digest is null ? null : "sha256:" + hex;
    }

    private static int Wrong(string sentence)
    {
        StandardText.Complain(SafeText.Of(sentence));
        return ExitStatus.NotVerified;
    }
}
