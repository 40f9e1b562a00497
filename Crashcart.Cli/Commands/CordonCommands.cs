using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart cordon</c>, <c>uncordon</c> and <c>drain</c>: whether a host takes sessions.</summary>
internal static class CordonCommands
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>From the kill of a tool until the node no longer counts its session.</summary>
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(10);

    public static Command Cordon() => Create("cordon", """
        Have a host take no new sessions and mounts; those that are there go on.

        It stays so when the host restarts, until it is uncordoned. Local commands on the host itself are not concerned.
        """, cordoned: true);

    public static Command Uncordon() => Create("uncordon", "Have a host that was cordoned or drained take sessions and mounts again.", cordoned: false);

    public static Command Drain()
    {
        var command = new Command("drain", """
            Cordon a host, end the sessions that run there, and wait until none is left.

            Their tools get SIGHUP and SIGTERM at once, and SIGKILL after the grace period. Mounts that people
            hold stay.
            """);
        var node = new Argument<string>("NODE");
        var grace = new Option<string>("--grace-period") { HelpName = "TIME", Description = "How long tools may take to end, like 30s or 5m (10s)" };
        var coordinator = CommonOptions.Coordinator();
        command.Add(node);
        command.Add(grace);
        command.Add(coordinator);
        command.SetAction((parsed, _) => DrainAsync(
            parsed.GetValue(coordinator), parsed.GetValue(node)!, Quantities.Duration("--grace-period", parsed.GetValue(grace) ?? "10s")));
        return command;
    }

    private static Command Create(string name, string description, bool cordoned)
    {
        var command = new Command(name, description);
        var node = new Argument<string>("NODE");
        var coordinator = CommonOptions.Coordinator();
        command.Add(node);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var request = new CordonNodeRequest { Node = parsed.GetValue(node)!, Cordoned = cordoned };
            await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Fleet.CordonNodeAsync(request));
            return ExitStatus.Success;
        });
        return command;
    }

    private static async Task<int> DrainAsync(string? coordinator, string node, TimeSpan grace)
    {
        var request = new CordonNodeRequest
        {
            Node = node,
            Cordoned = true,
            Drain = true,
            GracePeriodMs = (uint)Math.Min(grace.TotalMilliseconds, int.MaxValue),
        };
        await Listing.AskAsync(coordinator, client => client.Fleet.CordonNodeAsync(request));
        using var patience = new CancellationTokenSource(grace + ReleasePatience);
        using var look = new PeriodicTimer(LookEvery);
        while (await SessionsAsync(coordinator, node) is > 0 and var left)
        {
            if (patience.IsCancellationRequested)
                throw new CrashcartException(
                    FailureReason.Busy, $"Node {node} is cordoned, but {left} of its sessions did not end within {grace.TotalSeconds:0} s and the time to kill them; its log says why.");
            await look.WaitForNextTickAsync();
        }

        return ExitStatus.Success;
    }

    /// <exception cref="CrashcartException">The node does not say.</exception>
    private static async Task<int> SessionsAsync(string? coordinator, string name)
    {
        var answer = await Listing.AskAsync(coordinator, client => client.Fleet.ListNodesAsync(new ListNodesRequest()));
        var node = answer.Nodes.FirstOrDefault(node => node.Name == name)
            ?? throw new CrashcartException(FailureReason.Unavailable, $"Node {name} left the fleet while it was drained.");
        return node.Problem.Length == 0
            ? node.Sessions
            : throw new CrashcartException(FailureReason.Unavailable, SafeText.Of($"Node {name} is cordoned, but does not say whether it is drained: {node.Problem}"));
    }
}
