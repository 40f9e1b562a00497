using System.Globalization;

namespace Crashcart.Benchmarks;

/// <summary><c>Crashcart.Benchmarks [--rounds N] [--containers N] [--output FILE]</c></summary>
internal static class CommandLine
{
    private const string Usage = """
        Usage: ./build.sh bench [--rounds N] [--containers N] [--output FILE]

        Measures Crashcart against its peers, all in one interleaved run, and prints medians and ratios as Markdown.

          --rounds N       samples of each (default 60)
          --containers N   containers of the last row (default 100)
          --output FILE    write the table there too
        """;

    public static async Task<int> Run(string[] arguments)
    {
        var options = new Dictionary<string, string> { ["--rounds"] = "60", ["--containers"] = "100", ["--output"] = "" };
        for (var index = 0; index < arguments.Length; index += 2)
        {
            if (!options.ContainsKey(arguments[index]) || index + 1 == arguments.Length)
            {
                await Console.Error.WriteLineAsync(Usage);
                return 2;
            }
            options[arguments[index]] = arguments[index + 1];
        }

        var report = new Report();
        await Suite.Run(report, Number(options["--rounds"]), Number(options["--containers"]));
        Console.WriteLine(report);
        if (options["--output"] is { Length: > 0 } file)
            await File.WriteAllTextAsync(file, report.ToString());
        return 0;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
