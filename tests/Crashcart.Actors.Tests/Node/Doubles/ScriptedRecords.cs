using System.Runtime.CompilerServices;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>Runs that are kept: the record of each session is one call that a spec looks into.</summary>
internal sealed class ScriptedRecords : IRunRecords
{
    public ScriptedCalls Record { get; } = new();

    public NodeException? Refusal { get; set; }

    /// <summary>What is kept of every session.</summary>
    public SessionEnd? End { get; set; }

    public List<KeptRun> Runs { get; } = [];

    public List<NodeFrame> Frames { get; } = [];

    public int Sweeps { get; private set; }

    public Task<ISessionCall> OpenAsync(StartSession start, CancellationToken cancellation) =>
        Refusal is { } reason ? Task.FromException<ISessionCall>(reason) : Task.FromResult<ISessionCall>(Record);

    public SessionEnd? EndOf(SessionId session) => End;

    public Task<IReadOnlyList<KeptRun>> FindAsync(RunId? run) => Refusal is { } reason
        ? Task.FromException<IReadOnlyList<KeptRun>>(reason)
        : Task.FromResult<IReadOnlyList<KeptRun>>([.. Runs.Where(kept => run is null || kept.RunId == run.Value.Value)]);

    public async IAsyncEnumerable<NodeFrame> ReadAsync(SessionId session, bool follow, bool endsOnly, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (Refusal is { } reason)
            throw reason;
        await Task.CompletedTask;
        foreach (var frame in Frames)
            yield return frame;
    }

    public Task RemoveAsync(RunId run)
    {
        if (Refusal is { } reason)
            return Task.FromException(reason);
        Runs.RemoveAll(kept => kept.RunId == run.Value);
        return Task.CompletedTask;
    }

    public Task SweepAsync()
    {
        Sweeps++;
        return Task.CompletedTask;
    }
}
