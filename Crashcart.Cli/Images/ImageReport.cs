using System.Security.Cryptography;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;
using Crashcart.Image;
using Crashcart.Native;

namespace Crashcart.Cli.Images;

/// <summary>Opens an image, and says by name what is wrong with one that is not right.</summary>
internal static class ImageReport
{
    /// <summary>Reads an image by <paramref name="read"/>; a signal ends that.</summary>
    /// <returns>The exit status.</returns>
    public static int Of(string path, Func<OpenedImage, CancellationToken, int> read)
    {
        using var cancel = new CancellationTokenSource();
        var signal = 0;
        using var relay = new SignalRelay(number =>
        {
            Interlocked.CompareExchange(ref signal, number, 0);
            cancel.Cancel();
        });
        var root = "";
        try
        {
            using var image = OpenedImage.Open(path, cancel.Token);
            root = image.Root + "/";
            return read(image, cancel.Token);
        }
        catch (Exception e) when (signal != 0 && e is OperationCanceledException or ImageBuildException)
        {
            return ExitStatus.Signalled(signal);
        }
        catch (MissingProgramException e)
        {
            throw new CrashcartException(FailureReason.System, e.Message);
        }
        catch (CrashcartException e) when (e.Reason == FailureReason.NoImage && File.Exists(path))
        {
            return Damaged(e.Message);
        }
        catch (ImageBuildException e)
        {
            return Damaged($"The image '{path}' is damaged: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && File.Exists(path))
        {
            // What is in the image, as its users know it: not by where it is looked at.
            var message = root.Length == 0 ? e.Message : e.Message.Replace(root, "/dev/crashcart/", StringComparison.Ordinal);
            return Damaged($"The image '{path}' is damaged: {message}");
        }
    }

    /// <summary><c>sha256:…</c> of the file.</summary>
    public static string DigestOf(string path)
    {
        using var file = File.OpenRead(path);
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static int Damaged(string sentence)
    {
        StandardText.Complain(SafeText.Of(sentence));
        return ExitStatus.NotVerified;
    }
}
