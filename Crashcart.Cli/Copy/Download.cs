using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>A file or a tree out of a container.</summary>
internal static class Download
{
    /// <param name="from">As the person names it.</param>
    /// <param name="file">Where it is.</param>
    /// <param name="name">What it is called in a directory that it goes to; empty for a directory's contents.</param>
    /// <param name="to">A path here.</param>
    /// <param name="keepOwners">As in the container.</param>
    /// <returns>The exit status: 1 when something was not copied, or not as it was.</returns>
    public static async Task<int> RunAsync(
        ICopyHost host, CopyOperand from, ContainerFile file, string name, string to, bool keepOwners, CopyProgress progress)
    {
        using var reception = new Reception(file, name, to, keepOwners, progress);
        int status;
        try
        {
            status = await host.RunAsync(ContainerTools.Read(file), input: null, reception.Output, reception.Words);
        }
        finally
        {
            await reception.CloseAsync();
            progress.Clear();
        }

        var (ended, sentences) = await reception.EndAsync(status);
        foreach (var sentence in sentences)
            StandardText.Complain(SafeText.Of($"{from.Name}: {sentence}"));
        return ended;
    }
}
