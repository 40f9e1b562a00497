using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>What people do in terminals, by way of a coordinator and a node.</summary>
[Collection(OnFleet.Name)]
public sealed class FleetTerminalTests(FleetHost fleet) : HostTest
{
    private FleetNode Beta => fleet.Nodes[1];

    [Fact]
    public async Task Vim_writes_a_file_and_follows_the_size()
    {
        await using var box = await Beta.Docker.RunBusybox();
        await using var terminal = await Open(box, "vim", "/tmp/notes");
        await terminal.Shows("\"/tmp/notes\" [New]");
        await terminal.Type("ihello from vim");
        await terminal.ShowsExactly(VimsScreen(columns: 100, rows: 30));
        await terminal.Resize(columns: 40, rows: 12);
        await terminal.ShowsExactly(VimsScreen(columns: 40, rows: 12));
        await terminal.Press("Escape");
        await terminal.Enter(":wq");
        await IsRestored(terminal, 0);
        Assert.Equal("hello from vim\n", await File.ReadAllTextAsync($"{box.Root}/tmp/notes"));
    }

    [Fact]
    public async Task Less_searches_in_a_long_text_that_comes_by_a_pipe()
    {
        await using var box = await Beta.Docker.RunBusybox();
        await using var terminal = await Open(box, "bash", "-c", "seq 1 100000 | less");
        await terminal.ShowsExactly([.. Numbers(1, 29), ":"]);
        await terminal.Type("/^50000");
        await terminal.Press("Enter");
        await terminal.ShowsExactly([.. Numbers(50_000, 29), ":"]);
        await terminal.Type("G");
        await terminal.ShowsExactly([.. Numbers(99_972, 29), "(END)"]);
        await terminal.Type("q");
        await IsRestored(terminal, 0);
    }

    [Fact]
    public async Task Htop_shows_the_containers_processes_and_follows_the_size()
    {
        await using var box = await Beta.Docker.RunBusybox();
        await using var terminal = await Open(box, "htop");
        await terminal.Shows("sleep 1000000");
        await terminal.EndsWithRow(30, "F1Help  F2Setup ");
        Assert.DoesNotContain("crashcart-node", await terminal.Screen(), StringComparison.Ordinal);
        await terminal.Resize(columns: 90, rows: 20);
        await terminal.EndsWithRow(20, "F1Help  F2Setup ");
        await terminal.Press("F10");
        await IsRestored(terminal, 0);
    }

    [Fact]
    public async Task Gdb_stops_a_process_of_the_container_and_lets_it_go_on()
    {
        await using var box = await Beta.Docker.RunBusybox();
        var source = Path.Combine(AppContext.BaseDirectory, "Programs", "web.c");
        await new Command("gcc", "-static", "-g", "-o", $"{box.Root}/tmp/web", source).Output();
        await using var web = box.Exec("/tmp/web").Start();
        var pid = await HostProcess.Appears("/tmp/web");

        await using var terminal = await Open(box, "bash", "-c", "exec gdb -q -p $(pidof web)");
        await terminal.Shows("(gdb)");
        await terminal.Enter("break ask");
        await terminal.Shows("Breakpoint 1 at");
        await terminal.Enter("continue");
        await terminal.Shows("Breakpoint 1, ask (listener=");
        await terminal.Enter("print sizeof address + 26");
        await terminal.Shows("$1 = 42");
        await terminal.Enter("delete 1");
        await terminal.Enter("continue");
        await HostProcess.IsIn(pid, 'S');
        await terminal.Press("C-c");
        await terminal.Shows("received signal SIGINT");
        await terminal.Enter("detach");
        await terminal.Shows("detached]");
        await terminal.Enter("quit");
        await IsRestored(terminal, 0);
        await HostProcess.IsIn(pid, 'S');
    }

    [Fact]
    public async Task Control_C_and_control_Z_are_the_shells()
    {
        await using var box = await Beta.Docker.RunBusybox();
        await using var terminal = await Open(box, "bash", "--norc");
        await terminal.Enter("sleep 86361");
        var pid = await HostProcess.Appears("sleep 86361");
        await terminal.Press("C-z");
        await terminal.Shows("Stopped");
        await HostProcess.IsIn(pid, 'T');
        await terminal.Enter("fg");
        await HostProcess.IsIn(pid, 'S');
        await terminal.Press("C-c");
        await HostProcess.Disappears("sleep 86361");
        await terminal.Enter("echo status $?; exit 4");
        await terminal.Shows("status 130");
        await IsRestored(terminal, 4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    public async Task Terminal_is_restored_when_crashcart_is_told_to_end(int signal)
    {
        await using var box = await Beta.Docker.RunBusybox();
        await using var terminal = await Open(box, "sleep", "86362");
        await HostProcess.Appears("sleep 86362");
        var crashcart = await HostProcess.Appears($"{Artifacts.Cli} exec beta/{box.Name} sleep 86362");
        Assert.Equal(0, LibC.kill(crashcart, signal));
        await IsRestored(terminal, 128 + signal);
        await HostProcess.Disappears("sleep 86362");
    }

    [Fact]
    public async Task Terminal_is_restored_when_the_container_is_killed_under_a_full_screen_program()
    {
        await using var box = await Beta.Docker.RunBusybox();
        await using var terminal = await Open(box, "htop");
        await terminal.Shows("sleep 1000000");
        await box.Docker("kill");
        await terminal.Shows("restored");
        Assert.Equal(137, await terminal.Exited());
    }

    /// <summary>A person's shell runs <c>crashcart exec</c> and says afterwards whether its terminal is as it was.</summary>
    private Task<Terminal> Open(Container box, params string[] tool)
    {
        var exec = fleet.Crashcart(["exec", $"beta/{box.Name}", .. tool]);
        return Terminal.Open(new Command("bash", "-c",
            "before=$(stty -g); trap : TERM HUP; \"$@\"; code=$?; [ \"$before\" = \"$(stty -g)\" ] && echo restored; exit $code", "bash", exec.Program)
        {
            Environment = exec.Environment,
        }.With(exec.Arguments));
    }

    private static async Task IsRestored(Terminal terminal, int status)
    {
        await terminal.Shows("restored");
        Assert.Equal(status, await terminal.Exited());
        Assert.False(await terminal.IsFullScreen());
    }

    /// <summary>With one line in it; the cursor's place is eighteen columns from the right.</summary>
    private static string[] VimsScreen(int columns, int rows) =>
        ["hello from vim", .. Enumerable.Repeat("~", rows - 2), "-- INSERT --".PadRight(columns - 18) + "1,15          All"];

    private static IEnumerable<string> Numbers(int first, int count) => Enumerable.Range(first, count).Select(number => $"{number}");
}
