using System.Text;

namespace Crashcart.EndToEnd.Tests.Harness;

internal sealed record CommandResult(string Command, int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void Succeeded() => Exited(0);

    public void Exited(int code) =>
        Assert.True(code == ExitCode, $"'{Command}' exited with {ExitCode}, not {code}.\n--- output\n{Output}\n--- error\n{Error}");

    /// <summary>Failed as a person should see it: the exit status, and one sentence with each of the words.</summary>
    public void Refused(int code, params string[] words)
    {
        Exited(code);
        Assert.Empty(Output);
        var sentence = Error.TrimEnd('\n');
        Assert.True(sentence.Length > 0, $"'{Command}' failed without a word.");
        Assert.DoesNotContain('\n', sentence);
        Assert.DoesNotContain("Exception", sentence, StringComparison.Ordinal);
        Assert.EndsWith(".", sentence, StringComparison.Ordinal);
        foreach (var word in words)
            Assert.Contains(word, sentence, StringComparison.OrdinalIgnoreCase);
    }
}
