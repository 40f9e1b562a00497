using System.Collections.Concurrent;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Does many things in one container, several at a time, and gathers what went wrong.</summary>
internal sealed class UseRunner(UseBox box, Desk desk, Traps traps) : IDisposable
{
    /// <summary>Much of a use is waiting: for packets, for a server, for a second to pass.</summary>
    private static readonly ParallelOptions AtATime = new() { MaxDegreeOfParallelism = 8 };

    private readonly ConcurrentQueue<string> _failures = [];
    private readonly SemaphoreSlim _attaching = new(1);

    public IReadOnlyCollection<string> Failures => _failures;

    public Task Run(IEnumerable<Use> uses) => Parallel.ForEachAsync(uses, AtATime, async (use, _) =>
        await Attempt(use.Tools, use.Line, directory => Run(use, directory)));

    public Task Run(IEnumerable<TerminalUse> uses) => Parallel.ForEachAsync(uses, AtATime, async (use, _) =>
        await Attempt(use.Tools, use.Line, directory => Run(use, directory)));

    public void Dispose() => _attaching.Dispose();

    private async Task Attempt(string tools, string line, Func<string, Task<string?>> run)
    {
        var directory = await desk.MakePlace(box.Place.Kind, traps);
        try
        {
            if (await run(directory) is { } failure)
                Fail(tools, line, failure);
        }
        catch (TimeoutException late)
        {
            Fail(tools, line, late.Message);
        }
        finally
        {
            desk.RemovePlace(directory);
        }
    }

    private void Fail(string tools, string line, string what) => _failures.Enqueue(
        $"{tools} in {box.Place}: {line}\n{string.Join('\n', what.Split('\n').Where(said => said.Length > 0).Select(said => $"    {said}"))}");

    private async Task<string?> Run(Use use, string directory)
    {
        var result = await Finish(use, box.Command(directory, use.Words, use.Profile));
        var said = result.Output + result.Error;
        var (status, holds) = use.Expected(box.Place);
        var missing = holds.Where(text => !said.Contains(text, StringComparison.Ordinal)).ToArray();
        if (result.ExitCode == status && missing.Length == 0)
            return null;
        return $"status {result.ExitCode}, expected {status}; lacks [{string.Join("] [", missing)}]; said:\n{said}";
    }

    private async Task<CommandResult> Finish(Use use, Command command)
    {
        if (!use.Attaches)
            return await command.Run(use.Input);
        await _attaching.WaitAsync();
        try
        {
            return await command.Run(use.Input);
        }
        finally
        {
            _attaching.Release();
        }
    }

    private async Task<string?> Run(TerminalUse use, string directory)
    {
        var words = new Use(use.Tools, use.Line).Words;
        await using var terminal = await Terminal.Open(box.TerminalCommand(directory, words));
        foreach (var step in use.Steps)
            await step(terminal);
        var status = await terminal.Exited();
        return status == 0 ? null : $"status {status}; the terminal shows:\n{await terminal.Screen()}";
    }
}
