using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Runs;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>What tar writes in many containers, each copy into <c>NODE/CONTAINER/</c> below a directory here.</summary>
internal sealed class FleetCopyOutput(string directory, ContainerFile file, bool keepOwners) : IRunOutput, IDisposable
{
    private readonly Dictionary<int, Reception> _receptions = [];
    private readonly Dictionary<int, string> _refused = [];

    /// <summary>A copy failed here, whatever its tar ended with.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Some copy is not all of what there is.</summary>
    public bool IsNotWhole { get; private set; }

    public void Add(IReadOnlyList<TargetCourse> targets)
    {
        foreach (var target in targets)
        {
            var to = Path.Combine(directory, TargetFileName.Of(target.Node), TargetFileName.Of(target.Container));
            Try(target, () =>
            {
                Directory.CreateDirectory(to);
                _receptions.Add(target.Number, new Reception(file, file.Name, to, keepOwners, new CopyProgress("", line: null)));
            });
        }
    }

    public void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data)
    {
        if (!_receptions.TryGetValue(target.Number, out var reception))
            return;
        try
        {
            (isError ? reception.Words : reception.Output).Write(data);
        }
        catch (CrashcartException)
        {
            // The others go on; its end tells why.
        }
    }

    public void End(TargetCourse target)
    {
        if (!_receptions.Remove(target.Number, out var reception))
        {
            target.Failure ??= _refused[target.Number];
            return;
        }

        using (reception)
        {
            reception.CloseAsync().GetAwaiter().GetResult();
            if (target.Failure is not null)
                return;
            Try(target, () =>
            {
                var (status, sentences) = reception.EndAsync(target.ExitCode).GetAwaiter().GetResult();
                HasFailed |= status is not (ExitStatus.Success or ExitStatus.NotWhole);
                IsNotWhole |= status == ExitStatus.NotWhole;
                target.Note = SafeText.Of(string.Join("; ", sentences.Append(target.Note).Where(sentence => sentence.Length > 0)));
            });
        }
    }

    public void Finish(RunProgress run, int status)
    {
    }

    public void Dispose()
    {
        foreach (var reception in _receptions.Values)
            reception.Dispose();
    }

    private void Try(TargetCourse target, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is CrashcartException or IOException or UnauthorizedAccessException)
        {
            HasFailed = true;
            target.Failure = _refused[target.Number] = SafeText.Of(e.Message);
        }
    }
}
