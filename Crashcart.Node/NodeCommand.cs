using System.CommandLine;
using Crashcart.Actors;
using Crashcart.Native;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node;

/// <summary>The command line of <c>crashcart-node</c>.</summary>
internal sealed class NodeCommand : RootCommand
{
    private const string ConfigurationFile = "/etc/crashcart/node.yaml";
    private const int Wrong = 1;

    private readonly SettingsReader _reader = new(ConfigurationFile, NodeSettings.Definitions);
    private readonly Option<bool> _check = new("--check") { Description = "Say whether the configuration is right and what is in force, and exit." };

    public NodeCommand()
        : base("Runs tools of a fleet in the containers of this host.")
    {
        _reader.AddTo(this);
        Options.Add(_check);
        Subcommands.Add(new JoinCommand());
        SetAction((parsed, _) => RunAsync(parsed));
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        try
        {
            var read = _reader.Read(parsed, Environment.GetEnvironmentVariable);
            var settings = NodeSettings.From(read);
            if (parsed.GetValue(_check))
                return Check(read, settings);
            await ServeAsync(settings).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is SettingsException or CrashcartException)
        {
            await Console.Error.WriteLineAsync($"crashcart-node: {e.Message}").ConfigureAwait(false);
            return Wrong;
        }
    }

    private static int Check(Settings read, NodeSettings settings)
    {
        read.Print(Console.Out);
        _ = ImageIdentity.Read(settings.Image);
        return 0;
    }

    private static async Task ServeAsync(NodeSettings settings)
    {
        using var loggers = NodeLogging.Create(settings.LogLevel);
        using var stop = new StopSignals(loggers);
        using var identity = settings.TlsDirectory is { } directory
            ? new MemberIdentity(directory, settings.StateDirectory, PeerRole.Node, TimeProvider.System, loggers.CreateLogger<MemberIdentity>())
            : null;
        identity?.RequireName(settings.Name);
        using var node = await NodeService.OpenAsync(settings, identity, loggers).ConfigureAwait(false);
        NodeLog.Joining(loggers.CreateLogger<NodeCommand>(), string.Join(", ", settings.Seeds), settings.Listen.ToString());
        var member = new ClusterSettings(
            settings.Listen.Host, settings.Listen.Port, [ClusterSettings.NodeRole], [.. settings.Seeds.Select(s => s.ToString())])
        {
            Identity = identity,
        };
        var host = new ClusterHost(member, node.Populate, system => node.DrainAsync(system, stop.Hurrying), new AkkaLog(loggers).Write);
        try
        {
            await host.RunAsync(stop.Stopping).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var why = e.GetBaseException().GetBaseException().Message;
            throw new CrashcartException(
                FailureReason.Unavailable, $"Could not listen on {settings.Listen} ({why}): give a free address with --listen.", e);
        }
    }
}
