using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Sessions in a real terminal, pressed and read as by a person.</summary>
[Collection(OnLocalHost.Name)]
public sealed class TerminalTests(LocalHost host) : HostTest
{
    [Fact]
    public async Task Without_a_tool_it_is_an_interactive_bash()
    {
        await using var box = await host.Docker.RunScratch();
        await using var terminal = await Terminal.Open(host.Crashcart("exec", box.Name));
        await terminal.Enter("echo $((40 + 2)) $BASH; tty");
        await terminal.Shows("42 /dev/crashcart/bin/bash");
        await terminal.Shows("/dev/pts/");
        await terminal.Enter("exit 7");
        Assert.Equal(7, await terminal.Exited());
    }

    [Fact]
    public async Task Original_grammar_opens_it_too()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var terminal = await Terminal.Open(host.Crashcart(box.Id[..12]));
        await terminal.Enter("hostname; exit");
        await terminal.Shows(box.Id[..12]);
        Assert.Equal(0, await terminal.Exited());
    }

    [Fact]
    public async Task Terminal_has_the_size_of_the_users_and_follows_it()
    {
        await using var box = await host.Docker.RunScratch();
        await using var terminal = await Terminal.Open(host.Crashcart("exec", box.Name), columns: 91, rows: 23);
        await terminal.Enter("stty size");
        await terminal.Shows("23 91");
        await terminal.Enter("trap 'stty size' WINCH; echo trapped");
        await terminal.Shows("trapped");
        await terminal.Resize(columns: 77, rows: 31);
        await terminal.Enter("");
        await terminal.Shows("31 77");
        await terminal.Enter("exit");
        Assert.Equal(0, await terminal.Exited());
    }

    [Fact]
    public async Task Control_C_interrupts_the_foreground_job_and_not_the_shell()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var terminal = await Terminal.Open(host.Crashcart("exec", box.Name));
        await terminal.Enter("sleep 86391; echo status $?");
        await HostProcess.Appears("sleep 86391");
        await terminal.Press("C-c");
        await HostProcess.Disappears("sleep 86391");
        await terminal.Enter("echo still $((1 + 1)) here; exit 5");
        await terminal.Shows("still 2 here");
        Assert.Equal(5, await terminal.Exited());
    }

    [Fact]
    public async Task Job_control_works()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var terminal = await Terminal.Open(host.Crashcart("exec", box.Name));
        await terminal.Enter("sleep 86390");
        await HostProcess.Appears("sleep 86390");
        await terminal.Press("C-z");
        await terminal.Shows("Stopped");
        await terminal.Enter("fg");
        await terminal.Press("C-c");
        await HostProcess.Disappears("sleep 86390");
        await terminal.Enter("exit 3");
        Assert.Equal(3, await terminal.Exited());
    }

    [Fact]
    public async Task Terminal_is_as_it_was_after_the_session()
    {
        await using var box = await host.Docker.RunBusybox();
        var exec = host.Crashcart("exec", box.Name, "--", "bash", "-c", "stty raw -echo; kill -KILL $$");
        var shell = new Command("bash", "-c",
            "before=$(stty -g); \"$@\"; code=$?; [ \"$before\" = \"$(stty -g)\" ] && echo restored; exit $code", "bash", exec.Program)
        {
            Environment = exec.Environment,
        };
        await using var terminal = await Terminal.Open(shell.With(exec.Arguments));
        await terminal.Shows("restored");
        Assert.Equal(137, await terminal.Exited());
    }

    [Fact]
    public async Task Full_screen_program_draws_itself()
    {
        await using var box = await host.Docker.RunScratch();
        await using var terminal = await Terminal.Open(host.Crashcart("exec", box.Name, "less", "/proc/self/status"));
        await terminal.Shows("Name:");
        await terminal.Type("/NSpid");
        await terminal.Press("Enter");
        await terminal.Shows("NSpid:");
        await terminal.Type("q");
        Assert.Equal(0, await terminal.Exited());
    }

    [Fact]
    public async Task No_terminal_in_the_container_when_it_is_refused()
    {
        await using var box = await host.Docker.RunScratch();
        await using var terminal = await Terminal.Open(host.Crashcart("exec", "-T", box.Name, "tty"));
        await terminal.Shows("not a tty");
        Assert.Equal(1, await terminal.Exited());
    }

    [Fact]
    public async Task Terminal_for_a_pipe_when_it_is_asked_for()
    {
        await using var box = await host.Docker.RunScratch();
        var result = await host.Crashcart("exec", "-t", box.Name, "tty").Run();
        result.Succeeded();
        Assert.StartsWith("/dev/pts/", result.Output, StringComparison.Ordinal);
    }
}
