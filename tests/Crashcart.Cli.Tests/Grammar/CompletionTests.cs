using Crashcart.Cli.Grammar;

namespace Crashcart.Cli.Tests.Grammar;

public sealed class CompletionTests
{
    [Theory]
    [InlineData("fle", "fleet")]
    [InlineData("help cord", "cordon")]
    [InlineData("fleet e", "exec")]
    [InlineData("fleet exec --lab", "--label")]
    [InlineData("fleet exec --label app=web --lab", "--label")]
    [InlineData("ps --output ", "json table")]
    [InlineData("ps -o j", "json")]
    [InlineData("completion ", "bash fish zsh")]
    public async Task Commands_options_and_their_values(string words, string expected) => Assert.Equal(expected, await Of(words));

    [Theory]
    [InlineData("cordon ", "NODE")]
    [InlineData("exec ", "TARGET")]
    [InlineData("exec -t -u me ", "TARGET")]
    [InlineData("cp ", "FROM")]
    [InlineData("cp a b", "TO")]
    [InlineData("cp a ", "TO")]
    [InlineData("kill ", "SESSION|RUN")]
    [InlineData("runs rm ", "RUN…")]
    [InlineData("runs rm a ", "RUN…")]
    [InlineData("cordon node-1 ", "")]
    public async Task Names_are_asked_for_by_what_help_calls_them(string words, string kind)
    {
        var asked = "";
        await Completion.Of(words.Split(' '), (name, _) =>
        {
            asked = name;
            return Task.FromResult(Enumerable.Empty<string>());
        });

        Assert.Equal(kind, asked);
    }

    [Theory]
    [InlineData("exec web ")]
    [InlineData("exec web tcpdump --")]
    [InlineData("fleet exec --label app=web -- ")]
    [InlineData("fleet exec --label app=")]
    [InlineData("web tcp")]
    [InlineData("no-command ")]
    public async Task What_is_the_tools_or_a_file_is_left_to_the_shell(string words) => Assert.Equal("", await Of(words));

    [Fact]
    public async Task Names_come_from_the_coordinator_that_the_line_names() =>
        Assert.Equal("unix:///x", await Of("cordon --coordinator unix:///x ", (_, coordinator) => [coordinator!]));

    [Fact]
    public async Task A_name_that_a_shell_would_read_otherwise_is_not_offered() =>
        Assert.Equal("node/web", await Of("exec ", (_, _) => ["node/$(reboot)", "node/`x`", "node/a b", "node/a;b", "node/e\e[31m", "node/x\n", "node/web"]));

    private static async Task<string> Of(string words, Func<string, string?, IEnumerable<string>>? names = null) => string.Join(
        ' ', await Completion.Of(words.Split(' '), (name, coordinator) => Task.FromResult(names?.Invoke(name, coordinator) ?? [])));
}
