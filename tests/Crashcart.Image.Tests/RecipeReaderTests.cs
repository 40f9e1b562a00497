namespace Crashcart.Image.Tests;

public sealed class RecipeReaderTests
{
    [Fact]
    public void Reads_every_part_of_a_recipe()
    {
        var recipe = Read("""
            name: small
            packages: [bash, less]
            executables: { bash: --version, top: }
            load: [lib/libnss_*]
            drop: [share/man/*]
            keep: [share/man/keep]
            links: { bin/sh: bin/bash }
            files:
              etc/motd: |
                hello
            edits:
              - { file: bin/bash, from: /etc/bash.bashrc, to: "", count: 2 }
            wrappers:
              less: { arguments: [-R], environment: { LESSHISTFILE: "-" } }
            """);

        Assert.Equal("small", recipe.Name);
        Assert.Equal(["bash", "less"], recipe.Packages);
        Assert.Equal("--version", recipe.Executables["bash"]);
        Assert.Null(recipe.Executables["top"]);
        Assert.Equal(["lib/libnss_*"], recipe.Load);
        Assert.Equal(["share/man/*"], recipe.Drop);
        Assert.Equal(["share/man/keep"], recipe.Keep);
        Assert.Equal("bin/bash", recipe.Links["bin/sh"]);
        Assert.Equal("hello\n", recipe.Files["etc/motd"]);
        Assert.Equal(new TextEdit("bin/bash", "/etc/bash.bashrc", "", 2), Assert.Single(recipe.Edits));
        Assert.Equal(["-R"], recipe.Wrappers["less"].Arguments);
        Assert.Equal("-", recipe.Wrappers["less"].Environment["LESSHISTFILE"]);
    }

    [Theory]
    [InlineData("packages: [bash]", "line 1, column 1: the recipe has no 'name'")]
    [InlineData("name: x\npackage: [bash]", "line 2, column 1: a recipe has no 'package'")]
    [InlineData("name: x\npackages: bash", "line 2, column 11: a list is expected here")]
    [InlineData("name: x\npackages:\n  - bash\n  - [less]", "line 4, column 5: a text is expected here")]
    [InlineData("name: x\npackages:\n  - bash\n  -", "line 4, column 4: a text is expected here")]
    [InlineData("name: a b", "line 1, column 7: 'a b' is no name")]
    [InlineData("- name", "line 1, column 1: a recipe must be 'key: value' lines")]
    [InlineData("name: x\nlinks: [a]", "line 2, column 8: this must be 'key: value' lines")]
    [InlineData("name: x\nedits:\n  - { file: a, to: b }", "line 3, column 5: an edit needs 'file', 'from' and 'to'")]
    [InlineData("name: x\nedits:\n  - { file: a, from: b, to: long }", "line 3, column 5: 'long' is longer than 'b'")]
    [InlineData("name: x\nedits:\n  - { file: a, from: b, to: c, count: no }", "line 3, column 39: 'no' is no positive number")]
    [InlineData("name: x\nedits:\n  - { file: a, form: b }", "line 3, column 16: an edit has no 'form'")]
    [InlineData("name: x\nwrappers: { less: { args: [a] } }", "line 2, column 21: a wrapper has no 'args'")]
    [InlineData("name: x\nname: y", "line 2, column 1: ")]
    [InlineData("name: [x", "line 2, column 1: ")]
    [InlineData("", "line 1, column 1: a recipe is one YAML document")]
    public void Says_where_a_recipe_is_wrong(string yaml, string expected)
        => Assert.StartsWith("small.yaml, " + expected, Assert.Throws<ImageBuildException>(() => Read(yaml)).Message);

    [Fact]
    public void Names_a_recipe_file_that_does_not_exist()
    {
        var error = Assert.Throws<ImageBuildException>(() => Recipe.FromFile("/nowhere/toolbox.yaml"));
        Assert.StartsWith("Cannot read the recipe /nowhere/toolbox.yaml: ", error.Message);
    }

    [Fact]
    public void An_upper_recipe_counts_where_both_name_a_path()
    {
        var under = Read("name: under\npackages: [bash]\nlinks: { a: under, b: under }");
        var both = Read("name: upper\npackages: [less, bash]\nlinks: { a: upper }").Over(under);

        Assert.Equal("upper", both.Name);
        Assert.Equal(["bash", "less"], both.Packages);
        Assert.Equal("upper", both.Links["a"]);
        Assert.Equal("under", both.Links["b"]);
    }

    private static Recipe Read(string yaml) => RecipeReader.Read(new StringReader(yaml), "small.yaml");
}
