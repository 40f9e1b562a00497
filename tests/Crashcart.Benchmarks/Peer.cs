using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>One of the things that are compared.</summary>
/// <param name="Name">As the table names it.</param>
/// <param name="Sample">Does it once; the answer is the time that the whole command took.</param>
internal sealed record Peer(string Name, Func<Task<TimeSpan>> Sample)
{
    /// <summary>Puts the machine as it must be before each sample; not measured.</summary>
    public Func<Task> Before { get; init; } = () => Task.CompletedTask;
}

/// <summary>Samples of several peers, taken in turn so that a noisy moment hits all of them.</summary>
internal static class Interleaved
{
    public static async Task<IReadOnlyDictionary<Peer, Samples>> Measure(int rounds, params Peer[] peers)
    {
        var samples = peers.ToDictionary(peer => peer, _ => new List<TimeSpan>());
        // One more round than asked for: the first warms the page cache and is not counted.
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var peer in round % 2 == 0 ? peers : [.. peers.Reverse()])
            {
                await peer.Before();
                var time = await peer.Sample();
                if (round > 0)
                    samples[peer].Add(time);
            }
        }
        return samples.ToDictionary(pair => pair.Key, pair => new Samples(pair.Value));
    }
}

internal sealed class Samples(IEnumerable<TimeSpan> times)
{
    private readonly double[] _sorted = [.. times.Select(time => time.TotalMilliseconds).Order()];

    public int Count => _sorted.Length;

    public double Median => Quantile(0.5);

    public double Quantile(double q) => _sorted[(int)Math.Round(q * (_sorted.Length - 1))];
}

/// <summary>Runs a command by the C program of the benchmarks, whose start of a process costs next to nothing.</summary>
internal sealed class Stopwatch(string peers)
{
    /// <summary>Makes the program of its source.</summary>
    public static async Task<Stopwatch> Compile(string peers)
    {
        await new Command("gcc", "-O2", "-o", peers, Path.Combine(AppContext.BaseDirectory, "peers.c")).Output();
        return new Stopwatch(peers);
    }

    public async Task<TimeSpan> Time(Command command)
    {
        var timed = command with { Program = peers, Arguments = ["time", command.Program, .. command.Arguments] };
        return TimeSpan.FromMicroseconds(long.Parse(await timed.Output(), System.Globalization.CultureInfo.InvariantCulture) / 1000.0);
    }
}
