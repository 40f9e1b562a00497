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
              - { file: bin/less, any: [{ from: /etc/a, to: /b }, { from: /etc/c, to: /d, count: 3 }], optional: true }
            directories: { /usr/share/tables: ta }
            wrappers:
              less: { arguments: [-R], environment: { LESSHISTFILE: "-" } }
            environment: { GREETING: hello }
            format: erofs
            compression: lz4hc,12
            architecture: arm64
            docs: true
            with-docs:
              packages: [mandoc]
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
        Assert.Equal(["bin/bash", "bin/less"], recipe.Edits.Select(e => e.File));
        Assert.Equal([new TextVariant("/etc/bash.bashrc", "", 2)], recipe.Edits[0].Variants);
        Assert.Equal([new TextVariant("/etc/a", "/b", 1), new TextVariant("/etc/c", "/d", 3)], recipe.Edits[1].Variants);
        Assert.Equal([false, true], recipe.Edits.Select(e => e.Optional));
        Assert.Equal("ta", recipe.Directories["/usr/share/tables"]);
        Assert.Equal(["-R"], recipe.Wrappers["less"].Arguments);
        Assert.Equal("-", recipe.Wrappers["less"].Environment["LESSHISTFILE"]);
        Assert.Equal("hello", recipe.Environment["GREETING"]);
        Assert.Equal(("erofs", "lz4hc,12", "arm64", true), (recipe.Format, recipe.Compression, recipe.Architecture, recipe.Docs));
        Assert.Equal(["mandoc"], recipe.WithDocs?.Packages);
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
    [InlineData("name: x\nedits:\n  - { file: a, from: b, to: c, any: [{ from: d, to: e }] }", "line 3, column 5: an edit needs 'file', and either 'from' and 'to' or 'any'")]
    [InlineData("name: x\nedits:\n  - { file: a, any: [{ from: d }] }", "line 3, column 22: an edit needs 'file', 'from' and 'to'")]
    [InlineData("name: x\ndirectories: { /usr/share/x: data/x }", "line 2, column 16: /dev/crashcart/data/x is longer than /usr/share/x")]
    [InlineData("name: x\nedits:\n  - { file: a, form: b }", "line 3, column 16: an edit has no 'form'")]
    [InlineData("name: x\nwrappers: { less: { args: [a] } }", "line 2, column 21: a wrapper has no 'args'")]
    [InlineData("name: x\npackages: ['ltrace [i386]']", "line 2, column 12: 'i386' is no architecture of images: amd64 and arm64 are")]
    [InlineData("name: x\npackages: ['ltrace amd64']", "line 2, column 12: 'ltrace amd64' is not of the form 'name' or 'name [amd64]'")]
    [InlineData("name: x\narchitecture: i386", "line 2, column 15: 'i386' is none of amd64, arm64")]
    [InlineData("name: x\nwith-docs: { name: y }", "line 2, column 14: what comes with manuals has no 'name'")]
    [InlineData("name: x\nenvironment: { A=B: c }", "line 2, column 16: 'A=B' is no name of a variable")]
    [InlineData("name: x\nname: y", "line 2, column 1: ")]
    [InlineData("name: [x", "line 2, column 1: ")]
    [InlineData("", "line 1, column 1: a recipe is one YAML document")]
    public void Says_where_a_recipe_is_wrong(string yaml, string expected)
        => Assert.StartsWith("small.yaml, " + expected, Assert.Throws<ImageBuildException>(() => Read(yaml)).Message);

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

    [Fact]
    public void Entries_for_other_architectures_are_left_out()
    {
        var recipe = Read("""
            name: x
            packages: [bash, "ltrace [amd64]", "perf [!amd64]", "gdb [arm64 amd64]"]
            executables: { bash: --version, "ltrace [amd64]": --version }
            edits:
              - { file: a, from: b, to: c, architecture: arm64 }
            """);

        Assert.Equal(["bash", "ltrace", "gdb"], recipe.For(Architecture.Amd64, docs: false).Packages);
        Assert.Equal(["bash", "perf", "gdb"], recipe.For(Architecture.Arm64, docs: false).Packages);
        Assert.Equal(["bash", "ltrace"], recipe.For(Architecture.Amd64, docs: false).Executables.Keys);
        Assert.Equal(["bash"], recipe.For(Architecture.Arm64, docs: false).Executables.Keys);
        Assert.Empty(recipe.For(Architecture.Amd64, docs: false).Edits);
        Assert.Single(recipe.For(Architecture.Arm64, docs: false).Edits);
    }

    [Fact]
    public void Manuals_come_when_they_are_asked_for()
    {
        var recipe = Read("name: x\npackages: [bash]\nkeep: [a]\nwith-docs: { packages: [mandoc], keep: [share/man/*] }");

        Assert.Equal(["bash"], recipe.For(Architecture.Amd64, docs: false).Packages);
        var whole = recipe.For(Architecture.Amd64, docs: true);
        Assert.Equal("x", whole.Name);
        Assert.Equal(["bash", "mandoc"], whole.Packages);
        Assert.Equal(["a", "share/man/*"], whole.Keep);
    }

    private static Recipe Read(string yaml) => RecipeReader.Read(new StringReader(yaml), "small.yaml");
}
