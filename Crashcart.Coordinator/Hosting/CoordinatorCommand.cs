using System.CommandLine;
using Crashcart.Coordinator.Authority;
using Crashcart.Coordinator.Policies;
using Crashcart.Native;
using Crashcart.Node;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Hosting;

/// <summary>The command line of <c>crashcart-coordinator</c>.</summary>
internal sealed class CoordinatorCommand : RootCommand
{
    private const string ConfigurationFile = "/etc/crashcart/coordinator.yaml";
    private const int Wrong = 1;

    private readonly SettingsReader _reader = new(ConfigurationFile, CoordinatorSettings.Definitions);
    private readonly Option<bool> _check = new("--check") { Description = "Say whether the configuration is right and what is in force, and exit." };

    public CoordinatorCommand()
        : base("Serves the clients of a Crashcart fleet, and finds and drives its nodes.")
    {
        _reader.AddTo(this);
        Options.Add(_check);
        Subcommands.Add(new CaCommand());
        SetAction((parsed, _) => RunAsync(parsed));
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        try
        {
            Settings read = _reader.Read(parsed, Environment.GetEnvironmentVariable);
            CoordinatorSettings settings = CoordinatorSettings.From(read);
            if (parsed.GetValue(_check))
            {
                if (settings.PolicyPath is { } policy)
                    PolicyStore.Read(policy);
                read.Print(Console.Out);
            }
            else
                await ServeAsync(settings);
            return 0;
        }
        catch (Exception e) when (e is SettingsException or CrashcartException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"crashcart-coordinator: {e.Message}");
            return Wrong;
        }
    }

    private static async Task ServeAsync(CoordinatorSettings settings)
    {
        using ILoggerFactory loggers = NodeLogging.Create(settings.LogLevel);
        using var stop = new StopSignals(loggers);
        using NodeService? node = settings.Solo is { } own ? await NodeService.OpenAsync(own, identity: null, loggers) : null;
        SoloNode? solo = node is null ? null : new SoloNode(node.Populate, system => node.DrainAsync(system, stop.Hurrying));
        await new CoordinatorProcess(settings, solo, loggers).RunAsync(stop.Stopping);
    }
}
