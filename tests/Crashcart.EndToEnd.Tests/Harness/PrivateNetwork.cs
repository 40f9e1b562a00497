using System.Globalization;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>
/// Network namespaces on one switch, one a daemon, in which each has an address of its own: 127.0.0.10 and so on, which the
/// daemons take for the loopback, while every packet between two of them goes over two veth pairs. Lines can be cut both
/// ways and one way. No namespace reaches any network of the host's, and none is left when its last process ends.
/// </summary>
internal sealed class PrivateNetwork(IReadOnlyList<string> members) : IAsyncDisposable
{
    private const int FirstHost = 10;
    private const int Port = 7420;

    /// <summary>Processes that do nothing but keep a namespace, and end with the tests.</summary>
    private readonly List<RunningCommand> _keepers = [];

    private string Switch => NamespaceOf(_keepers[0]);

    /// <summary>Where the member's daemon listens.</summary>
    public string AddressOf(string member) => $"{Host(member)}:{Port}";

    public async Task Make()
    {
        Keep();
        await Run(Switch, "ip link add switch type bridge && ip link set switch up");
        foreach (var member in members)
        {
            Keep();
            await Run(Switch, $"ip link add to-{Index(member)} type veth peer name eth0 netns {_keepers[^1].Pid} && ip link set to-{Index(member)} master switch up");
            await Run(NamespaceOf(_keepers[^1]), $"""
                echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet
                ip link set lo up && ip address del 127.0.0.1/8 dev lo && ip address add {Host(member)}/32 dev lo &&
                ip link set eth0 up && ip address add {Host(member)}/24 dev eth0
                """);
        }
    }

    /// <summary>The same command as a process of the member's.</summary>
    public Command Enter(string member, Command command) =>
        command with { Program = "nsenter", Arguments = [$"--net={NamespaceOf(member)}", "--", command.Program, .. command.Arguments] };

    /// <summary>Nothing that the first sends reaches the second.</summary>
    public Task CutOneWay(string from, string to) => Run(NamespaceOf(to), $"iptables -w -A INPUT -s {Host(from)} -j DROP");

    /// <summary>Nothing passes between a member of the one side and one of the other.</summary>
    public async Task Cut(string[] side, string[] other)
    {
        foreach (var (one, two) in side.SelectMany(one => other.Select(two => (one, two))))
        {
            await CutOneWay(one, two);
            await CutOneWay(two, one);
        }
    }

    public Task Heal() => Task.WhenAll(members.Select(member => Run(NamespaceOf(member), "iptables -w -F INPUT")));

    public async ValueTask DisposeAsync()
    {
        foreach (var keeper in _keepers)
            await keeper.DisposeAsync();
    }

    private void Keep() => _keepers.Add(new Command("unshare", "--net", "--", "cat").Start());

    private int Index(string member) => members.Select((name, index) => (name, index)).First(pair => pair.name == member).index;

    private string Host(string member) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.{FirstHost + Index(member)}");

    private string NamespaceOf(string member) => NamespaceOf(_keepers[1 + Index(member)]);

    private static string NamespaceOf(RunningCommand keeper) => $"/proc/{keeper.Pid}/ns/net";

    private static async Task Run(string network, string script) =>
        (await new Command("nsenter", $"--net={network}", "--", "sh", "-ec", script).Run()).Succeeded();
}
