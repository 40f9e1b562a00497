namespace Crashcart.Cli.Tests.Program;

/// <summary>Contexts as the program keeps them below the user's home.</summary>
public sealed class ContextTests : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("crashcart-home-");

    private string Contexts => Path.Combine(_home.FullName, ".config/crashcart/contexts");

    [Fact]
    public async Task They_are_added_used_listed_and_removed()
    {
        await Succeeds("add near --coordinator unix:///nonexistent/near");
        await Succeeds("add far --coordinator unix:///nonexistent/far --use");
        Assert.Equal(
            """
            CURRENT  NAME  COORDINATOR               AS  UNTIL
            *        far   unix:///nonexistent/far   -   -
                     near  unix:///nonexistent/near  -   -

            """,
            await Succeeds("ls"));
        Assert.Contains("unix:///nonexistent/far:", (await Run("nodes")).Error, StringComparison.Ordinal);
        await Succeeds("use near");
        Assert.Contains("unix:///nonexistent/near:", (await Run("nodes")).Error, StringComparison.Ordinal);
        await Succeeds("rm near");
        Assert.Contains("unix:///run/crashcart/", (await Run("nodes")).Error, StringComparison.Ordinal);
        Assert.Equal(["far"], Directory.GetDirectories(Contexts).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("add near --coordinator unix:///nonexistent/s", "There is a context near already; remove it with 'crashcart context rm near', or choose another name.")]
    [InlineData("add ../near --coordinator unix:///nonexistent/s", "'../near' is no name for a context: use up to 63 letters, digits and -_., beginning with a letter or digit.")]
    [InlineData("add far --coordinator https://far:1", "https://far:1 needs an identity: give --tls-dir.")]
    [InlineData("add far --coordinator unix:///nonexistent/s --tls-dir /nonexistent", "unix:///nonexistent/s takes no identity: leave --tls-dir out, or give https://HOST:PORT.")]
    [InlineData("use far", "There is no context 'far': there are near.")]
    [InlineData("rm far", "There is no context 'far': there are near.")]
    public async Task What_cannot_be_is_refused_and_changes_nothing(string words, string sentence)
    {
        await Succeeds("add near --coordinator unix:///nonexistent/near");
        Assert.Equal((125, "", $"crashcart: {sentence}\n"), await Run("context " + words));
        Assert.Equal(["near"], Directory.GetDirectories(Contexts).Select(Path.GetFileName));
    }

    [Fact]
    public async Task What_was_killed_half_way_is_cleared_away_by_the_next()
    {
        var goesOn = Directory.CreateDirectory(Path.Combine(Contexts, $".busy.{Environment.ProcessId}"));
        var killed = Directory.CreateDirectory(Path.Combine(Contexts, ".near.2147483647"));
        await File.WriteAllTextAsync(Path.Combine(killed.FullName, "tls.key"), "a key");
        await Succeeds("add near --coordinator unix:///nonexistent/near");
        Assert.Equal([goesOn.Name, "near"], Directory.GetDirectories(Contexts).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    public void Dispose() => _home.Delete(recursive: true);

    private async Task<string> Succeeds(string words)
    {
        var (status, output, error) = await Run("context " + words);
        Assert.Equal((0, ""), (status, error));
        return output;
    }

    private async Task<(int Status, string Output, string Error)> Run(string words)
    {
        using var cli = CliProcess.StartProgram(CliProcess.ProgramPath, words.Split(' '), new Dictionary<string, string> { ["HOME"] = _home.FullName });
        return await cli.ResultAsync();
    }
}
