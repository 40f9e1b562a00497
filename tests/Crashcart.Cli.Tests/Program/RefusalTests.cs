namespace Crashcart.Cli.Tests.Program;

/// <summary>What bad input gets from the program: one sentence with the reason and the remedy, 125, and nothing on standard output.</summary>
public sealed class RefusalTests
{
    [Theory]
    [InlineData("nodes --coordinator unix:///nonexistent/s", "Cannot reach the coordinator at unix:///nonexistent/s: there is no such socket; start crashcart-coordinator or give --coordinator.")]
    [InlineData("exec --coordinator http://127.0.0.1:1 c ls", "Cannot reach the coordinator at http://127.0.0.1:1: nobody listens there; start crashcart-coordinator or give --coordinator.")]
    [InlineData("fleet exec --coordinator http://10.0.0.1:7 --label a ls", "The coordinator's address 'http://10.0.0.1:7' would send what tools print over the network in plain text; use https://, or http:// on a loopback address.")]
    [InlineData("fleet exec ls", "Which containers? Give --label SELECTOR, --name GLOB, or --node GLOB ('*' is every container of the fleet).")]
    [InlineData("fleet exec --label a", "TOOL ARGS… is missing; see 'crashcart fleet exec --help'.")]
    [InlineData("fleet exec -l a --sample 0 ls", "--sample 0 is no container; give a number from 1, or a percentage.")]
    [InlineData("fleet exec -l a --sample 101% ls", "'101%' is no value for --sample: give a whole number, or a percentage like 10%.")]
    [InlineData("fleet exec -l a --seed 1 ls", "--seed is for --sample, which is not given.")]
    [InlineData("fleet exec -l a --max-failures some ls", "'some' is no value for --max-failures: give a whole number, or a percentage like 10%.")]
    [InlineData("fleet exec -l a --canary 0 ls", "'0' is no value for --canary: give a whole number from 1.")]
    [InlineData("fleet exec -l a --json --raw ls", "--json and --raw are two forms of the same output; give one of them.")]
    [InlineData("fleet exec -l a --follow --dry-run ls", "--dry-run shows what matches now, and --follow waits for what will; give one of them.")]
    [InlineData("fleet exec -l a -d --stdin ls", "A run that is left alone has no standard input: give --detach or --stdin.")]
    [InlineData("fleet exec -l a -d -f ls", "With --detach and --follow the run would go on for ever: give it a --deadline.")]
    [InlineData("fleet exec -l a -d --dry-run ls", "--dry-run only shows where the tool would run, and leaves nothing to detach from: give one of them.")]
    [InlineData("fleet exec -l a -d --group ls", "With --detach nothing but the run's id is printed: give --group to 'crashcart runs logs'.")]
    [InlineData("exec -d -t n/c ls", "A tool that is left alone has nobody at its terminal: give --detach or --terminal.")]
    [InlineData("exec -d n/c", "A shell that is left alone has nothing to do: name a tool after --detach.")]
    [InlineData("exec -d c ls", "--detach needs a node that keeps the tool's output: give NODE/CONTAINER, or --coordinator.")]
    [InlineData("runs lgos x", "'crashcart runs' has no command 'lgos' (did you mean logs?); see 'crashcart runs --help'.")]
    [InlineData("runs logs", "RUN is missing; see 'crashcart runs logs --help'.")]
    [InlineData("runs rm", "RUN… is missing; see 'crashcart runs rm --help'.")]
    [InlineData("fleet exce --label a ls", "'crashcart fleet' has no command 'exce' (did you mean exec?); see 'crashcart fleet --help'.")]
    [InlineData("exec -t -T c ls", "Options --terminal and --no-terminal exclude each other; give one of them.")]
    [InlineData("exec --profile all c ls", "There is no profile 'all'; it is one of restricted, debug, privileged.")]
    [InlineData("exec -e A c ls", "'A' is no value for --env: give NAME=VALUE.")]
    [InlineData("exec --memory much c ls", "'much' is no value for --memory: give a size, like 512M or 1G.")]
    [InlineData("exec --cpus half c ls", "'half' is no value for --cpus: give a number of processors from 0.01 to 8192, like 0.5 or 2.")]
    [InlineData("exec -i x.img n/c ls", "'x.img' is a file's name, and what goes through the coordinator uses the fleet's images: push the file with 'crashcart image push FILE NAME:TAG' and give --image NAME:TAG.")]
    [InlineData("audit sinks /", "There is no audit log in /.")]
    [InlineData("audit verify /", "There is no audit log in /.")]
    [InlineData("ps -o xml", "'xml' is no value for --output: give table or json.")]
    [InlineData("ps -o wide", "'wide' is no value for --output: give table or json.")]
    [InlineData("nodes -o xml", "'xml' is no value for --output: give table, wide or json.")]
    [InlineData("-m -u c", "Options -m, -u and -e exclude each other; give one of them.")]
    [InlineData("-m c ls", "Options -m and -u run no command; leave it out.")]
    [InlineData("exec 2147483647 ls", "There is no process 2147483647; it has ended, or lives in another PID namespace than crashcart.")]
    public async Task One_sentence_with_the_remedy(string words, string sentence) =>
        Assert.Equal((125, "", $"crashcart: {sentence}\n"), await CliProcess.RunAsync(words.Split(' ')));

    [Fact]
    public async Task A_mistyped_command_is_recognised()
    {
        var (status, _, error) = await CliProcess.RunAsync("noeds");
        Assert.Equal(125, status);
        Assert.EndsWith("nor is 'noeds' a command (did you mean nodes?).\n", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help", "Usage:")]
    [InlineData("fleet --help", "Usage: crashcart fleet COMMAND")]
    [InlineData("fleet exec --help", "Usage: crashcart fleet exec [OPTIONS] [--] TOOL ARGS…")]
    [InlineData("runs --help", "Usage: crashcart runs [COMMAND] [OPTIONS]")]
    [InlineData("runs logs --help", "Usage: crashcart runs logs [OPTIONS] RUN")]
    [InlineData("help exec", "Usage: crashcart exec [OPTIONS] TARGET [--] [TOOL ARGS…]")]
    [InlineData("--version", "crashcart ")]
    public async Task Help_is_on_standard_output(string words, string part)
    {
        var (status, output, error) = await CliProcess.RunAsync(words.Split(' '));
        Assert.Equal((0, ""), (status, error));
        Assert.Contains(part, System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(output)), StringComparison.Ordinal);
        Assert.All(output.Split('\n'), line => Assert.InRange(line.Length, 0, 112));
    }

    [Fact]
    public async Task Nothing_named_is_the_help_and_125()
    {
        var (status, output, error) = await CliProcess.RunAsync();
        Assert.Equal((125, ""), (status, output));
        Assert.Contains("Usage:", error, StringComparison.Ordinal);
    }
}
