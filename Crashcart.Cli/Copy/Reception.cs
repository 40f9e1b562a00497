using System.IO.Pipelines;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>Takes what one container's tar writes, and puts it into its place when it is whole.</summary>
internal sealed class Reception : IDisposable
{
    private const int MostNames = 10;

    // Bytes that wait between the container's tar and the disk here.
    private const int MostWaiting = 1024 * 1024;

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: MostWaiting, resumeWriterThreshold: MostWaiting / 2));
    private readonly LocalDestination _destination;
    private readonly TreeExtraction _extraction;
    private readonly Task _extracted;

    /// <param name="file">What was asked for.</param>
    /// <param name="name">What it is called in a directory that it goes to; empty for a directory's contents.</param>
    /// <param name="to">A path here.</param>
    /// <param name="keepOwners">As in the container.</param>
    /// <exception cref="CrashcartException">There is no directory for it.</exception>
    public Reception(ContainerFile file, string name, string to, bool keepOwners, CopyProgress progress)
    {
        _destination = LocalDestination.Open(to, name);
        _extraction = new TreeExtraction(_destination.Home, _destination.Temporary, BytePath.Of(file.Name), keepOwners, progress) { Accept = _destination.Accept };
        Output = _pipe.Writer.AsStream();
        _extracted = Task.Run(ExtractAsync);
    }

    /// <summary>For what tar writes; a write fails with what the copy failed with.</summary>
    public Stream Output { get; }

    /// <summary>For what tar says.</summary>
    public ToolWords Words { get; } = new();

    /// <summary>Nothing more comes.</summary>
    public async Task CloseAsync()
    {
        await _pipe.Writer.CompleteAsync();
        await _extracted.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Gives the copy its name, after <see cref="CloseAsync"/>.</summary>
    /// <param name="status">tar's exit status.</param>
    /// <returns>The exit status, and what to tell.</returns>
    /// <exception cref="CrashcartException">Nothing of the copy is kept; says why.</exception>
    public async Task<(int Status, IReadOnlyList<string> Sentences)> EndAsync(int status)
    {
        var sentences = Words.Sentences().ToList();
        // tar(1): 1 for files that changed meanwhile, 2 for some that it could not read.
        if (status is not (ExitStatus.Success or 1 or 2))
            return (status, sentences);
        if (_extraction.Kind is null && sentences.Count > 0)
            return (ExitStatus.Failed, sentences);
        await _extracted;
        if (_extraction.Kind is null)
            throw new CrashcartException(FailureReason.System, "Nothing came; try again.");
        _destination.Place(_extraction);
        if (_extraction.Omitted is { Count: > 0 } names)
            sentences.Add($"left out, for they are devices or FIFOs: {string.Join(", ", names.Take(MostNames))}{(names.Count > MostNames ? $", and {names.Count - MostNames} more" : "")}");
        return (status == ExitStatus.Success && _extraction.Omitted.Count == 0 ? ExitStatus.Success : ExitStatus.NotWhole, sentences);
    }

    public void Dispose() => _destination.Dispose();

    private async Task ExtractAsync()
    {
        try
        {
            await _extraction.ReadAsync(_pipe.Reader.AsStream(leaveOpen: true));
            await _pipe.Reader.CompleteAsync();
        }
        catch (Exception e)
        {
            // Whoever still writes is told, and ends the tool.
            await _pipe.Reader.CompleteAsync(e);
            throw;
        }
    }
}
