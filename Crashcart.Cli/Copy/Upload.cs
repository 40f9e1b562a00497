using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>A file or a tree of this host into a container.</summary>
internal static class Upload
{
    /// <param name="from">A path here.</param>
    /// <param name="follow">When it is a link, copy what it leads to.</param>
    /// <param name="to">As the person names it.</param>
    /// <param name="keepOwners">By number; else root owns the copy.</param>
    /// <returns>The exit status: 1 when something was not copied, or not as it was.</returns>
    public static async Task<int> RunAsync(
        ICopyHost host, string from, bool follow, CopyOperand to, ContainerFile place, bool keepOwners, CopyProgress progress)
    {
        using var source = LocalSource.Open(from, follow);
        TreeArchive? archive = null;
        Exception? failure = null;
        var words = new ToolWords();
        var status = await host.RunAsync(
            ContainerTools.Write(place, source.Name, source.Kind, keepOwners), SendAsync, Stream.Null, words);
        progress.Clear();
        if (Volatile.Read(ref failure) is { } cause)
            throw new CrashcartException(FailureReason.System, $"Cannot read '{SafeText.Of(from)}': {cause.Message.TrimEnd('.')}; nothing of the copy was kept.", cause);
        foreach (var sentence in words.Sentences().Concat(archive?.Remarks ?? []))
            StandardText.Complain(SafeText.Of($"{to.Name}: {sentence}"));
        return status switch
        {
            ExitStatus.Success => archive is { Remarks.Count: > 0 } ? ExitStatus.NotWhole : ExitStatus.Success,
            1 => ExitStatus.Failed,
            _ => status,
        };

        async Task SendAsync(Stream input)
        {
            try
            {
                var writer = new ArchiveWriter(input);
                archive = new TreeArchive(source.Home, writer, keepOwners, progress);
                await archive.WriteAsync(source.Path, ContainerTools.Copy);
                await writer.BeginAsync(new ArchiveEntry { Name = ContainerTools.Whole, Kind = ArchiveEntryKind.File, Mode = 0x180 /* 0600 */ });
                await writer.FinishAsync();
            }
            catch (SyscallException e) when (e.Call != "write")
            {
                // Without its last entry nothing of the archive is kept.
                Volatile.Write(ref failure, e);
            }
        }
    }
}
