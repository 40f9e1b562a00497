using System.Buffers;
using System.Text;
using Crashcart.Cli.Output;

namespace Crashcart.Cli.Tests.Output;

public sealed class TerminalLineTests
{
    [Theory]
    [InlineData("plain\tgrün\n", "plain\tgrün\n")]
    [InlineData("\e[1;31mred\e[0m \e[38:5:9mtoo\e[m\n", "\e[1;31mred\e[0m \e[38:5:9mtoo\e[m\n")]
    [InlineData("windows\r\n", "windows\n")]
    [InlineData("50 %\rother/web  | forged\n", "50 %^Mother/web  | forged\n")]
    [InlineData("\e[1Aother/web  | forged\e[K\n", "^[[1Aother/web  | forged^[[K\n")]
    [InlineData("\e]0;title\a\b\b\v\n", "^[]0;title^G^H^H^K\n")]
    [InlineData("\e\e[0m\e\n", "^[\e[0m^[\n")]
    [InlineData("\u009b1A\u009d0;title £\u007f\n", "\uFFFD1A\uFFFD0;title £^?\n")]
    [InlineData("\e[0000000000000000000000000000000000000000000m\n", "^[[0000000000000000000000000000000000000000000m\n")]
    public void Text_and_colours_pass_and_nothing_moves_the_cursor(string written, string shown)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(written);
        Assert.Equal(shown, Shown([bytes]));
        // However it was cut in pieces.
        Assert.Equal(shown, Shown(bytes.Select(b => new[] { b })));
    }

    private static string Shown(IEnumerable<byte[]> pieces)
    {
        var line = new TerminalLine();
        var to = new ArrayBufferWriter<byte>();
        foreach (var piece in pieces)
            line.Write(piece, to);
        return Encoding.UTF8.GetString(to.WrittenSpan);
    }
}
