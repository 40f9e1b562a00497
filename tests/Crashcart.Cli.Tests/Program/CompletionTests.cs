using Crashcart.Api;

namespace Crashcart.Cli.Tests.Program;

/// <summary>The script of <c>crashcart completion bash</c> in bash, and the coordinator's names.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("crashcart fleet cap", "capture")]
    [InlineData("crashcart exec node-1/w", "node-1/web-1 node-1/web-2")]
    // bash splits words at a colon, and puts what it is told in the place of the last part.
    [InlineData("crashcart cp /etc/hosts node-1/web-1:", ":")]
    [InlineData("crashcart exec web ", "")]
    public async Task Bash_completes_words(string line, string expected)
    {
        await using var coordinator = await FakeCoordinator.StartAsync(conversation => conversation.SendAsync(new ListContainersResponse
        {
            Containers = { Named("web-1"), Named("web-2"), Named("$(touch /tmp/owned)"), Named("db") },
        }));

        Assert.Equal((0, expected, ""), await InBash(line, coordinator.Address));
    }

    [Fact]
    public async Task Without_a_coordinator_there_are_no_names_and_no_words_about_it() =>
        Assert.Equal((0, "", ""), await InBash("crashcart exec node-1/w", "unix:///nonexistent/socket"));

    private static Container Named(string name) => new() { Node = "node-1", Name = name };

    private static async Task<(int Status, string Words, string Error)> InBash(string line, string coordinator)
    {
        // As readline calls it; the words as bash splits them.
        const string Ask = """
            source <(crashcart completion bash)
            COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=($(sed -E 's/([:=])/ \1 /g' <<<"$1"))
            [[ $1 != *' ' ]] || COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            compopt() { :; }
            _crashcart
            echo "${COMPREPLY[*]}"
            """;
        var path = $"{Path.GetDirectoryName(CliProcess.ProgramPath)}:{Environment.GetEnvironmentVariable("PATH")}";
        using var bash = CliProcess.StartProgram(
            "bash", ["-c", Ask, "bash", line], new Dictionary<string, string> { ["PATH"] = path, ["CRASHCART_COORDINATOR"] = coordinator });
        var (status, output, error) = await bash.ResultAsync();
        return (status, output.TrimEnd('\n'), error);
    }
}
