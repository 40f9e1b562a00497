using System.Globalization;

namespace Crashcart.Benchmarks;

/// <summary><c>Crashcart.Benchmarks [--only peers|fleet|trace|nodes|image|leases|streams] [--rounds N] [--containers N] [--nodes N] [--recipe NAME] [--output FILE]</c></summary>
internal static class CommandLine
{
    private const string Usage = """
        Usage: ./build.sh bench [--only peers|fleet|trace|nodes|image|leases|streams] [--rounds N] [--containers N] [--nodes N]
                                [--recipe NAME] [--output FILE]

        Measures Crashcart against its peers (peers), one command in many containers of two nodes (fleet), where the time
        of one request goes (trace), requests over up to 1,000 simulated nodes (nodes), an image as each file system that
        it can be (image), what leases cost (leases), and much output (streams), all samples of a comparison in turn, and
        prints medians and ratios as Markdown.

          --only PART      one of the seven
          --rounds N       samples of each (default 60; of builds a twentieth of it)
          --containers N   containers of the last rows of peers and fleet, and half of those of a restart (default 100)
          --nodes N        simulate a fleet of so many nodes too (10000 take some minutes and GiB of memory)
          --recipe NAME    what is built as each file system (default toolbox)
          --output FILE    write the tables there too
        """;

    public static async Task<int> Run(string[] arguments)
    {
        var options = new Dictionary<string, string>
        {
            ["--only"] = "",
            ["--rounds"] = "60",
            ["--containers"] = "100",
            ["--nodes"] = "0",
            ["--recipe"] = "toolbox",
            ["--output"] = "",
        };
        for (var index = 0; index < arguments.Length; index += 2)
        {
            if (!options.ContainsKey(arguments[index]) || index + 1 == arguments.Length)
                return await WrongUse();
            options[arguments[index]] = arguments[index + 1];
        }

        var part = options["--only"];
        if (part is not ("" or "peers" or "fleet" or "trace" or "nodes" or "image" or "leases" or "streams"))
            return await WrongUse();

        var rounds = Number(options["--rounds"]);
        var tables = new List<string>();
        if (part is "" or "peers")
            tables.Add(await Peers(rounds, Number(options["--containers"])));
        if (part is "" or "fleet")
            tables.Add(await FleetSuite.Run(rounds, Number(options["--containers"])));
        if (part is "" or "trace")
            tables.Add(await TraceSuite.Run(rounds));
        if (part is "" or "nodes")
            tables.Add(await SimulationSuite.Run(rounds, Number(options["--nodes"])));
        if (part is "" or "image")
            tables.Add(await ImageSuite.Run(rounds, options["--recipe"]));
        if (part is "" or "leases")
            tables.Add(await LeaseSuite.Run(rounds, 2 * Number(options["--containers"])));
        if (part is "" or "streams")
            tables.Add(await StreamSuite.Run(rounds));

        var text = string.Join("\n", tables);
        Console.WriteLine(text);
        if (options["--output"] is { Length: > 0 } file)
            await File.WriteAllTextAsync(file, text);
        return 0;
    }

    private static async Task<string> Peers(int rounds, int containers)
    {
        var report = new Report();
        await Suite.Run(report, rounds, containers);
        return report.ToString();
    }

    private static async Task<int> WrongUse()
    {
        await Console.Error.WriteLineAsync(Usage);
        return 2;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
