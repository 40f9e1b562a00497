using Crashcart.Cli.Configuration;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Configuration;

public sealed class ConfigurationFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("crashcart-cli-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Names_of_other_programs_are_passed_over()
    {
        var file = Write("a.yaml", "seed: [a, b]\nnested:\n  image: wrong\nimage: /right.img # here\nname: n\n");
        Assert.Equal("/right.img", ConfigurationFile.Read(file, "image"));
        Assert.Null(ConfigurationFile.Read(file, "coordinator"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("- a list\n")]
    public void A_file_without_a_mapping_says_nothing(string text) => Assert.Null(ConfigurationFile.Read(Write("a.yaml", text), "image"));

    [Fact]
    public void Malformed_yaml_is_told_with_its_place()
    {
        var file = Write("a.yaml", "image: [unclosed\n");
        var failure = Assert.Throws<CrashcartException>(() => ConfigurationFile.Read(file, "coordinator"));
        Assert.StartsWith($"{file}:", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_is_a_list_is_told_with_its_line()
    {
        var file = Write("a.yaml", "x: 1\nimage: [a, b]\n");
        var failure = Assert.Throws<CrashcartException>(() => ConfigurationFile.Read(file, "image"));
        Assert.StartsWith($"{file}:2: image is not a single value", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_person_s_own_file_comes_first_and_then_the_system_s_last()
    {
        var own = Path.Combine(_directory, "home/.config/crashcart/config.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(own)!);
        File.WriteAllText(own, "");
        var a = Write("a.yaml", "");
        var b = Write("b.yaml", "");
        Write("c.txt", "");
        Assert.Equal([own, b, a], ConfigurationFile.Paths(Path.Combine(_directory, "home"), _directory));
        Assert.Empty(ConfigurationFile.Paths(null, Path.Combine(_directory, "none")));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
