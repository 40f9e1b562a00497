using System.CommandLine;
using System.Text;
using Crashcart.Node.Configuration;

namespace Crashcart.Node.Tests.Configuration;

/// <summary>Configuration files that nobody means; always the same.</summary>
public sealed class SettingsFuzzTests : IDisposable
{
    private const int Cases = 1500;

    private static readonly string[] Words =
    [
        "name: ", "seed: ", "listen: ", "linger: ", "session-memory: ", "image: ", "log-level: ", "max-sessions: ", "nonsense: ", "\n", "\n  ", "- ", "[", "]", "{", "}", ",", ": ",
        "alpha", "127.0.0.1:7420", "1GiB", "99999999999999999999", "-1", "0x1F", "trace", "'", "\"", "#", "|\n", ">\n", "&a ", "*a ", "!!binary ", "!<x> ", "? ", "<<: ",
        "---\n", "...\n", "%YAML 9.9\n", "\t", "\0", "\uFEFF", "é", "~", "null", new string('[', 200), new string('a', 5000),
    ];

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Whatever_a_file_says_a_node_has_settings_or_one_sentence()
    {
        var reader = new SettingsReader(_file, NodeSettings.Definitions);
        var command = new RootCommand();
        reader.AddTo(command);
        var flags = command.Parse(["--insecure"]);
        int refused = 0;
        for (int seed = 0; seed < Cases; seed++)
        {
            File.WriteAllText(_file, Text(new Random(seed)));
            try
            {
                Assert.NotEmpty(NodeSettings.From(reader.Read(flags, _ => null)).Name);
            }
            catch (SettingsException e)
            {
                Assert.NotEmpty(e.Message);
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}: {e}");
            }
        }

        Assert.InRange(refused, 1, Cases - 1);
    }

    private static string Text(Random random)
    {
        var text = new StringBuilder(random.Next(2) == 0 ? "name: alpha\nseed: [10.0.0.1:7420, 10.0.0.2:7420]\nlinger: 5\n" : "");
        for (int left = random.Next(16); left > 0; left--)
            text.Insert(random.Next(3) == 0 ? random.Next(text.Length + 1) : text.Length, Words[random.Next(Words.Length)]);
        return text.ToString();
    }
}
