using System.Globalization;

namespace Crashcart.Chaos;

/// <summary><c>Crashcart.Chaos [--rounds N] [--seed S] [--first N] [--soak N]</c></summary>
internal static class CommandLine
{
    /// <summary>First argument of the process that runs the campaign itself.</summary>
    public const string Inside = "--inside";

    private const string Usage = """
        Usage: ./build.sh chaos [--rounds N] [--seed S] [--first N] | --soak N

        Breaks a fleet at random, and looks after every round whether the host is as it was. The same seed plans the same
        faults. Exit status: 0 nothing was left behind, 1 something was.

          --rounds N   how many rounds (default 50)
          --seed S     a number (default: a random one, which is printed)
          --first N    begin with that round of the seed (default 1)
          --soak N     no faults: N cycles of attach, exec and release, and whether anything grows
        """;

    private const int Wrong = 2;

    public static async Task<int> Run(string[] arguments)
    {
        var isInside = arguments is [Inside, ..];
        var words = isInside ? arguments[1..] : arguments;
        var options = new Dictionary<string, int> { ["--rounds"] = 50, ["--seed"] = Random.Shared.Next(1_000_000), ["--first"] = 1, ["--soak"] = 0 };
        for (var index = 0; index < words.Length; index += 2)
        {
            if (!options.ContainsKey(words[index]) || index + 1 == words.Length
                || !int.TryParse(words[index + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                await Console.Error.WriteLineAsync(Usage);
                return Wrong;
            }
            options[words[index]] = number;
        }

        if (!isInside)
            return await Supervisor.Run(arguments);
        using var end = EndOfInput();
        return options["--soak"] > 0
            ? await Soak.Run(options["--soak"], end.Token)
            : await Campaign.Run(options["--seed"], options["--first"], options["--rounds"], end.Token);
    }

    /// <summary>Is cancelled when the supervisor wants an end, or has ended itself.</summary>
    private static CancellationTokenSource EndOfInput()
    {
        var end = new CancellationTokenSource();
        var input = Console.OpenStandardInput();
        new Thread(() =>
        {
            input.ReadByte();
            end.Cancel();
        })
        { IsBackground = true }.Start();
        return end;
    }
}
