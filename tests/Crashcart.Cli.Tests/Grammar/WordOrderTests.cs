using System.CommandLine;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Grammar;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Grammar;

public sealed class WordOrderTests
{
    [Theory]
    [InlineData("web", "-- web")]
    [InlineData("web ls -u -m --help", "-- web ls -u -m --help")]
    [InlineData("web -- ls -u", "-- web ls -u")]
    [InlineData("web sh -c -- x", "-- web sh -c -- x")]
    [InlineData("web -- -x", "-- web -x")]
    [InlineData("-- web ls", "-- web ls")]
    [InlineData("-t web -u me ls -u", "--terminal --user=me -- web ls -u")]
    [InlineData("web -u me ls", "--user=me -- web ls")]
    [InlineData("--user=me web ls", "--user=me -- web ls")]
    [InlineData("-ume:us web ls", "--user=me:us -- web ls")]
    [InlineData("-tu me web ls", "--terminal --user=me -- web ls")]
    [InlineData("-tT web", "--terminal --no-terminal -- web")]
    [InlineData("-e A=1 -e B=2 web env", "--env=A=1 --env=B=2 -- web env")]
    [InlineData("-e -x=1 web env", "--env=-x=1 -- web env")]
    [InlineData("web -", "-- web -")]
    public void Options_come_first_and_the_tool_keeps_its_own(string words, string arranged) =>
        Assert.Equal(arranged.Split(' '), WordOrder.Arrange(ExecCommand.Create(), "exec", words.Split(' ')));

    [Theory]
    [InlineData("tcpdump -c 3 -ni any --label x", "-- tcpdump -c 3 -ni any --label x")]
    [InlineData("--label app=web tcpdump -c 3 -ni any", "--label=app=web -- tcpdump -c 3 -ni any")]
    [InlineData("--label app=web -- tcpdump -c 3", "--label=app=web -- tcpdump -c 3")]
    public void A_fleet_s_tool_is_the_first_word_that_is_no_option(string words, string arranged) =>
        Assert.Equal(arranged.Split(' '), WordOrder.Arrange(FleetExecCommand.Create(), "fleet exec", words.Split(' ')));

    [Theory]
    [InlineData("4711 ls -u", "-- 4711 ls -u")]
    [InlineData("4711 ls -m", "-- 4711 ls -m")]
    [InlineData("-m 4711", "--mount -- 4711")]
    [InlineData("4711 -m", "--mount -- 4711")]
    [InlineData("-i x.img -ve 4711 -- ls -e", "--image=x.img --verbose --exec -- 4711 ls -e")]
    public void The_original_s_defect_10_tools_flags_are_not_swallowed(string words, string arranged) =>
        Assert.Equal(arranged.Split(' '), WordOrder.Arrange(OriginalCommand.Create(), "crashcart", words.Split(' ')));

    [Fact]
    public void Without_a_tool_options_may_follow_operands() =>
        Assert.Equal(["--force", "--", "web"], WordOrder.Arrange(UnmountCommand.Create(), "unmount", ["web", "--force"]));

    [Theory]
    [InlineData("--imgae x web", "There is no option --imgae (did you mean --image?); see 'crashcart exec --help'.")]
    [InlineData("web -q ls", "There is no option -q; see 'crashcart exec --help'.")]
    [InlineData("-tq web ls", "There is no option -q; see 'crashcart exec --help'.")]
    [InlineData("web -u", "Option -u needs a value: -u USER[:GROUP]; see 'crashcart exec --help'.")]
    [InlineData("--shared=yes web", "Option --shared takes no value; see 'crashcart exec --help'.")]
    [InlineData("--shared", "TARGET is missing; see 'crashcart exec --help'.")]
    public void What_is_wrong_is_said_with_the_remedy(string words, string sentence) => Assert.Equal(
        sentence, Assert.Throws<CrashcartException>(() => WordOrder.Arrange(ExecCommand.Create(), "exec", words.Split(' '))).Message);

    [Fact]
    public void A_word_too_many_is_refused() =>
        Assert.Throws<CrashcartException>(() => WordOrder.Arrange(NodesCommand.Create(), "nodes", ["db-1"]));

    [Theory]
    [InlineData("--help")]
    [InlineData("web -h")]
    public void Help_is_asked_for_before_the_tool(string words) =>
        Assert.Null(WordOrder.Arrange(ExecCommand.Create(), "exec", words.Split(' ')));

    [Theory]
    [InlineData("@file", "@tool")]
    [InlineData("web", "--")]
    public void Words_reach_the_parser_as_they_are(string target, string toolWord)
    {
        var command = ExecCommand.Create();
        var arranged = WordOrder.Arrange(command, "exec", ["-e", "X=:=", "--workdir=", target, "tool", toolWord, "-t"]);
        var parsed = command.Parse(arranged!, new ParserConfiguration { ResponseFileTokenReplacer = null });
        Assert.Empty(parsed.Errors);
        Assert.Equal(target, parsed.GetValue<string>("TARGET"));
        Assert.Equal(["tool", toolWord, "-t"], parsed.GetValue<string[]>("TOOL ARGS…")!);
        Assert.Equal(["X=:="], parsed.GetValue<string[]>("--env")!);
        Assert.Equal("", parsed.GetValue<string>("--workdir"));
        Assert.False(parsed.GetValue<bool>("--terminal"));
    }
}
