using System.CommandLine;
using Crashcart.Node.Configuration;

namespace Crashcart.Node.Tests.Configuration;

public sealed class SettingsReaderTests : IDisposable
{
    private static readonly Setting Name = new("name", "NODE", "Name.") { Default = "host" };
    private static readonly Setting Seed = new("seed", "HOST:PORT", "Seed.") { Repeats = true };
    private static readonly Setting Solo = new("solo", null, "Solo.");
    private static readonly Setting Memory = new("session-memory", "SIZE", "Memory.") { Default = "1GiB" };
    private static readonly Setting Docker = new("docker-host", "URI", "Docker.") { ForeignVariable = "DOCKER_HOST" };

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void A_flag_wins_over_the_environment_and_that_over_the_file()
    {
        File.WriteAllText(_file, "name: file\n");

        Assert.Equal("flag", Read("--name flag", ("CRASHCART_NAME", "variable")).Text(Name));
        Assert.Equal("variable", Read("", ("CRASHCART_NAME", "variable")).Text(Name));
        Assert.Equal("file", Read("").Text(Name));
    }

    [Fact]
    public void A_default_counts_when_nobody_gives_a_value()
    {
        Assert.Equal("host", Read("").Text(Name));
        Assert.Equal("default", Read("").Origin(Name));
        Assert.Equal("not set", Read("").Origin(Docker));
    }

    [Fact]
    public void Every_value_knows_where_it_came_from()
    {
        File.WriteAllText(_file, "# comment\nname: file\n");

        Assert.Equal($"{_file}:2:7", Read("").Origin(Name));
        Assert.Equal("--name", Read("--name x").Origin(Name));
        Assert.Equal("CRASHCART_NAME", Read("", ("CRASHCART_NAME", "x")).Origin(Name));
    }

    [Fact]
    public void A_repeating_setting_is_repeated_flags_a_sequence_or_commas()
    {
        File.WriteAllText(_file, "seed: [a:1, b:2]\n");

        Assert.Equal(["a:1", "b:2"], Read("").All(Seed));
        Assert.Equal(["c:1", "d:2"], Read("--seed c:1 --seed d:2").All(Seed));
        Assert.Equal(["e:1", "f:2"], Read("", ("CRASHCART_SEED", "e:1, f:2")).All(Seed));
    }

    [Fact]
    public void A_switch_needs_no_value()
    {
        Assert.False(Read("").IsOn(Solo));
        Assert.True(Read("--solo").IsOn(Solo));
        Assert.True(Read("", ("CRASHCART_SOLO", "1")).IsOn(Solo));
        Assert.Contains("neither true nor false", Assert.Throws<SettingsException>(() => Read("--solo=perhaps").IsOn(Solo)).Message);
    }

    [Fact]
    public void A_foreign_variable_counts_after_our_own()
    {
        Assert.Equal("unix:///a", Read("", ("DOCKER_HOST", "unix:///a")).Text(Docker));
        Assert.Equal("unix:///b", Read("", ("DOCKER_HOST", "unix:///a"), ("CRASHCART_DOCKER_HOST", "unix:///b")).Text(Docker));
    }

    [Theory]
    [InlineData("512", 512L)]
    [InlineData("4K", 4096L)]
    [InlineData("512MiB", 512L << 20)]
    [InlineData("2 GB", 2L << 30)]
    public void A_size_may_have_a_unit(string text, long bytes) =>
        Assert.Equal(bytes, Read("", ("CRASHCART_SESSION_MEMORY", text)).Bytes(Memory));

    [Theory]
    [InlineData("much")]
    [InlineData("-1")]
    [InlineData("1XiB")]
    [InlineData("9999999999T")]
    public void What_is_no_size_is_refused_with_its_origin(string text)
    {
        var error = Assert.Throws<SettingsException>(() => Read("", ("CRASHCART_SESSION_MEMORY", text)).Bytes(Memory));

        Assert.Contains("session-memory", error.Message);
        Assert.Contains("CRASHCART_SESSION_MEMORY", error.Message);
    }

    [Theory]
    [InlineData("name: a\nseed: [b", ":3:1: not valid YAML")]
    [InlineData("name: a\ncolour: red", ":2:1: unknown setting 'colour'")]
    [InlineData("name: a\nname: b", ":2:")]
    [InlineData("name:\n", ":1:6: 'name' needs a value")]
    [InlineData("name: [a, b]", ":1:7: 'name' takes one value")]
    [InlineData("- name", ":1:1: the file must be")]
    public void A_wrong_file_is_refused_with_line_and_column(string text, string expected)
    {
        File.WriteAllText(_file, text);

        Assert.Contains(_file + expected, Assert.Throws<SettingsException>(() => Read("")).Message);
    }

    [Fact]
    public void A_named_file_must_exist_and_the_default_file_need_not()
    {
        var reader = new SettingsReader("/nonexistent/default.yaml", [Name]);
        var command = new Command("test");
        reader.AddTo(command);

        Assert.Equal("host", reader.Read(command.Parse(""), _ => null).Text(Name));
        Assert.Contains("/nonexistent/other.yaml", Assert.Throws<SettingsException>(
            () => reader.Read(command.Parse("--config /nonexistent/other.yaml"), _ => null)).Message);
    }

    [Fact]
    public void What_is_in_force_can_be_printed()
    {
        var output = new StringWriter();
        Read("--seed a:1 --seed b:2").Print(output);

        Assert.Contains("seed: a:1, b:2  # --seed", output.ToString());
        Assert.Contains("name: host  # default", output.ToString());
    }

    private Settings Read(string flags, params (string Name, string Value)[] environment)
    {
        var reader = new SettingsReader(_file, [Name, Seed, Solo, Memory, Docker]);
        var command = new Command("test");
        reader.AddTo(command);
        var parsed = command.Parse(flags);
        Assert.Empty(parsed.Errors);
        return reader.Read(parsed, name => environment.FirstOrDefault(e => e.Name == name).Value);
    }
}
