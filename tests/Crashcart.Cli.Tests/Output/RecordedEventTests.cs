using System.Text;
using Crashcart.Api;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Output;

public sealed class RecordedEventTests
{
    [Theory]
    [InlineData("""[0.25, "o", "a\u001b[1m"]""", "stdout", "a\e[1m")]
    [InlineData("""[1, "i", "x"]""", "stdin", "x")]
    [InlineData("""[1, "stderr", "b29wcw=="]""", "stderr", "oops")]
    [InlineData("""[1, "r", "80x24"]""", "", "")]
    [InlineData("""[1, "m", "exited with 0"]""", "", "")]
    public void A_line_is_an_event(string line, string stream, string data)
    {
        var read = RecordedEvent.Parse(Encoding.UTF8.GetBytes(line));

        Assert.Equal((stream, data), (read.Stream, Encoding.UTF8.GetString(read.Data)));
    }

    [Theory]
    [InlineData("""[1e300, "o", "x"]""", 365 * 86400)]
    [InlineData("""[-5, "o", "x"]""", 0)]
    [InlineData("""[0.000001, "o", "x"]""", 0.000001)]
    public void A_time_that_makes_no_sense_makes_nobody_wait_for_ever(string line, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), RecordedEvent.Parse(Encoding.UTF8.GetBytes(line)).At);

    [Theory]
    [InlineData("[")]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("""["1", "o", "x"]""")]
    [InlineData("""[1, "o", 2]""")]
    [InlineData("""[1, "stdout", "no!"]""")]
    [InlineData("""{"o": 1}""")]
    [InlineData("""[1, "o", "\ud800"]""")]
    public void What_is_no_event_is_told(string line) =>
        Assert.Throws<CrashcartException>(() => RecordedEvent.Parse(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void A_row_says_what_a_person_looks_for()
    {
        var row = RecordingsCommand.Row(new RecordingInfo
        {
            Id = "run-0123456789-0",
            User = "user alice",
            StartedUnixMs = 1_764_000_000_000,
            Node = "alpha",
            ContainerId = "0123456789abcdef",
            Command = "bash -l",
            LengthMs = 3_725_400,
            Size = 2048,
            State = "finished",
        });

        Assert.Equal(["run-0123456789-0", "user alice", "2025-11-24 16:00:00", "alpha/0123456789ab", "bash -l", "1:02:05", "2.05 kB", "finished"], row);
    }
}
