using System.Text;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>Names and digests of images, as far as the command line looks into them; what is right the coordinator says.</summary>
internal static class ImageNames
{
    private const string DigestPrefix = "sha256:";

    /// <summary><c>sha256:</c> and twelve digits, as short as docker(1) prints ids.</summary>
    public static string Abbreviated(string digest) => digest[..Math.Min(DigestPrefix.Length + 12, digest.Length)];

    /// <summary>A name made of another: <c>Net Tools</c> is <c>net-tools</c>.</summary>
    /// <exception cref="CrashcartException">There is nothing in it that a name may have.</exception>
    public static string From(string text)
    {
        var name = new StringBuilder();
        foreach (var letter in text.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(letter))
                name.Append(letter);
            else if (name.Length > 0 && name[^1] != '-')
                name.Append('-');
        }

        return name.ToString().Trim('-') is { Length: > 0 } found
            ? found
            : throw new CrashcartException(FailureReason.BadRequest, $"'{SafeText.Of(text)}' gives no name for the image; give one after the file, like toolbox:1.");
    }

    /// <summary>An image of the fleet's, for what goes through the coordinator; empty when none is named.</summary>
    /// <exception cref="CrashcartException">It is a file on this host.</exception>
    public static string InFleet(string? image) => image is null || (!IsPath(image) && !File.Exists(image))
        ? image ?? ""
        : throw new CrashcartException(
            FailureReason.BadRequest,
            $"'{SafeText.Of(image)}' is a file's name, and what goes through the coordinator uses the fleet's images: "
            + "push the file with 'crashcart image push FILE NAME:TAG' and give --image NAME:TAG.");

    /// <summary>A file on this host, for what runs here.</summary>
    /// <exception cref="CrashcartException">There is no such file, and it is spelt like an image of the fleet's.</exception>
    public static string? Here(string? image) => image is null || IsPath(image) || Path.Exists(image)
        ? image
        : throw new CrashcartException(
            FailureReason.NoImage,
            $"There is no image file '{SafeText.Of(image)}' here; images by name are the fleet's, and a tool on this host without the coordinator "
            + "takes a file. Give --image FILE, or NODE/CONTAINER as the target.");

    private static bool IsPath(string image) => image.Length == 0 || "/.~".Contains(image[0]) || image.EndsWith(".img", StringComparison.Ordinal);
}
