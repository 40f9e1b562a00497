using System.Diagnostics;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A command line that has not been started.</summary>
internal sealed record Command(string Program, params string[] Arguments)
{
    private static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(60);

    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    public TimeSpan Patience { get; init; } = DefaultPatience;

    public override string ToString() => string.Join(' ', [Path.GetFileName(Program), .. Arguments]);

    /// <summary>The same with more arguments at its end.</summary>
    public Command With(params string[] arguments) => this with { Arguments = [.. Arguments, .. arguments] };

    /// <summary>Starts it with pipes for its three streams.</summary>
    public RunningCommand Start()
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        return new RunningCommand(this, Process.Start(start)!);
    }

    /// <summary>Runs it to its end with nothing, or <paramref name="input"/>, to read.</summary>
    public async Task<CommandResult> Run(string input = "")
    {
        await using var running = Start();
        await running.Write(input);
        running.CloseInput();
        return await running.Result();
    }

    /// <summary>Runs it to its end and expects exit status 0; the answer is its output without the last line's end.</summary>
    public async Task<string> Output()
    {
        var result = await Run();
        result.Succeeded();
        return result.Output.TrimEnd('\n');
    }
}
