using System.IO.Pipelines;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>A file or a tree out of a container.</summary>
internal static class Download
{
    // Bytes that wait between the container's tar and the disk here.
    private const int MostWaiting = 1024 * 1024;

    private const int MostNames = 10;

    /// <param name="from">As the person names it.</param>
    /// <param name="file">Where it is.</param>
    /// <param name="name">What it is called in a directory that it goes to; empty for a directory's contents.</param>
    /// <param name="to">A path here.</param>
    /// <param name="keepOwners">As in the container.</param>
    /// <returns>The exit status: 1 when something was not copied, or not as it was.</returns>
    public static async Task<int> RunAsync(
        ICopyHost host, CopyOperand from, ContainerFile file, string name, string to, bool keepOwners, CopyProgress progress)
    {
        using var destination = LocalDestination.Open(to, name);
        var extraction = new TreeExtraction(destination.Home, destination.Temporary, BytePath.Of(file.Name), keepOwners, progress) { Accept = destination.Accept };
        var words = new ToolWords();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: MostWaiting, resumeWriterThreshold: MostWaiting / 2));
        var extracted = Task.Run(() => ExtractAsync(extraction, pipe.Reader));
        int status;
        try
        {
            status = await host.RunAsync(ContainerTools.Read(file), input: null, pipe.Writer.AsStream(), words);
        }
        finally
        {
            await pipe.Writer.CompleteAsync();
            await ((Task)extracted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            progress.Clear();
        }

        var sentences = words.Sentences().ToList();
        foreach (var sentence in sentences)
            StandardText.Complain(SafeText.Of($"{from.Name}: {sentence}"));
        // tar(1): 1 for files that changed meanwhile, 2 for some that it could not read.
        if (status is not (ExitStatus.Success or 1 or 2))
            return status;
        if (extraction.Kind is null && sentences.Count > 0)
            return ExitStatus.Failed;
        await extracted;
        if (extraction.Kind is null)
            throw new CrashcartException(FailureReason.System, $"Nothing came of '{from.Name}'; try again.");
        destination.Place(extraction);
        if (extraction.Omitted.Count > 0)
            StandardText.Complain(SafeText.Of($"{from.Name}: {Omitted(extraction.Omitted)}"));
        return status == ExitStatus.Success && extraction.Omitted.Count == 0 ? ExitStatus.Success : ExitStatus.NotWhole;
    }

    private static string Omitted(IReadOnlyList<string> names) =>
        $"left out, for they are devices or FIFOs: {string.Join(", ", names.Take(MostNames))}{(names.Count > MostNames ? $", and {names.Count - MostNames} more" : "")}";

    private static async Task ExtractAsync(TreeExtraction extraction, PipeReader reader)
    {
        try
        {
            await extraction.ReadAsync(reader.AsStream(leaveOpen: true));
            await reader.CompleteAsync();
        }
        catch (Exception e)
        {
            // Whoever still writes is told, and ends the tool.
            await reader.CompleteAsync(e);
            throw;
        }
    }
}
