using System.Text;

namespace Crashcart.Image.Tests;

public sealed class TreeAssemblerTests
{
    private static readonly Recipe Nothing = new() { Name = "nothing" };

    [Fact]
    public void A_dependency_gives_its_libraries_only()
    {
        var assembler = Assemble(new Recipe { Name = "x", Packages = ["named"], Load = ["lib/plug/*"] });
        DebEntry[] files =
        [
            File("usr/bin/tool"), File("usr/lib/x86_64-linux-gnu/liba.so.1"), File("usr/lib/perl/x.so"), File("usr/lib/plug/y.so"),
            File("usr/share/data"),
        ];

        assembler.Add(Package("dependency"), files);
        Assert.Equal(["lib/liba.so.1", "lib/plug/y.so"], assembler.Tree.Entries.Select(e => e.Key));

        assembler.Add(Package("named"), files);
        Assert.Equal(
            ["bin/tool", "lib/liba.so.1", "lib/perl/x.so", "lib/plug/y.so", "share/data"],
            assembler.Tree.Entries.Select(e => e.Key));
    }

    [Fact]
    public void Keep_outdoes_drop()
    {
        var assembler = Assemble(new Recipe { Name = "x", Packages = ["p"], Drop = ["etc/*"], Keep = ["etc/ssl/*.cnf"] });
        assembler.Add(Package("p"), [File("etc/ssl/openssl.cnf"), File("etc/ssl/other"), File("etc/init.d/x")]);
        Assert.Equal("etc/ssl/openssl.cnf", Assert.Single(assembler.Tree.Entries).Key);
    }

    [Fact]
    public void Two_packages_with_different_files_of_one_path_stop_the_build()
    {
        var assembler = Assemble(new Recipe { Name = "x", Packages = ["p", "q"] });
        assembler.Add(Package("p"), [File("sbin/tool", "one")]);
        var error = Assert.Throws<ImageBuildException>(() => assembler.Add(Package("q"), [File("usr/bin/tool", "two")]));
        Assert.Equal("bin/tool is in both p and q: leave one out by 'drop' in the recipe.", error.Message);
    }

    [Fact]
    public void A_link_from_sbin_to_the_same_name_in_bin_is_the_file_itself()
    {
        var assembler = Assemble(new Recipe { Name = "x", Packages = ["p"] });
        assembler.Add(Package("p"), [File("bin/ip"), new DebLink("sbin/ip", "bin/ip")]);
        Assert.IsType<TreeFile>(assembler.Tree["bin/ip"]);
    }

    [Fact]
    public void A_wrapped_program_is_started_with_what_it_needs()
    {
        var assembler = Assemble(new Recipe
        {
            Name = "x",
            Packages = ["p"],
            Wrappers = new Dictionary<string, Wrapper>
            {
                ["tool"] = new(["-Z", "it's"], new Dictionary<string, string> { ["HOME_OF_IT"] = "/dev/crashcart/x" }),
            },
        });
        assembler.Add(Package("p"), [File("bin/tool", "binary"), File("bin/busybox")]);
        assembler.Finish(Nothing);

        Assert.Equal("binary", Text(assembler, "wrapped/tool"));
        Assert.Equal(
            """
            #!/dev/crashcart/bin/busybox sh
            : "${HOME_OF_IT=/dev/crashcart/x}"; export HOME_OF_IT
            exec /dev/crashcart/wrapped/tool '-Z' 'it'\''s' "$@"

            """, Text(assembler, "bin/tool"));
    }

    [Fact]
    public void A_link_may_lead_to_a_wrapped_program()
    {
        var assembler = Assemble(new Recipe
        {
            Name = "x",
            Packages = ["p"],
            Links = new Dictionary<string, string> { ["lib/core/tool"] = "wrapped/tool" },
            Wrappers = new Dictionary<string, Wrapper> { ["tool"] = new([], new Dictionary<string, string>()) },
        });
        assembler.Add(Package("p"), [File("bin/tool", "binary"), File("bin/busybox")]);
        assembler.Finish(Nothing);
        Assert.Equal("binary", Text(assembler, "lib/core/tool"));
    }

    [Fact]
    public void A_link_may_lead_to_the_one_file_of_a_pattern()
    {
        var recipe = new Recipe
        {
            Name = "x",
            Packages = ["p"],
            Links = new Dictionary<string, string> { ["bin/sql"] = "lib/sql/*/bin/sql" },
        };
        var assembler = Assemble(recipe);
        assembler.Add(Package("p"), [File("usr/lib/sql/17/bin/sql", "binary")]);
        assembler.Finish(Nothing);
        Assert.Equal("binary", Text(assembler, "bin/sql"));

        assembler.Add(Package("p"), [File("usr/lib/sql/18/bin/sql", "binary")]);
        var error = Assert.Throws<ImageBuildException>(() => assembler.Finish(Nothing));
        Assert.Equal("The recipe's link bin/sql may lead to each of lib/sql/17/bin/sql lib/sql/18/bin/sql: name one.", error.Message);
        error = Assert.Throws<ImageBuildException>(() => Assemble(recipe).Finish(Nothing));
        Assert.Equal("The recipe's link bin/sql leads to lib/sql/*/bin/sql, which no package has.", error.Message);
    }

    [Fact]
    public void A_promise_with_a_question_mark_counts_where_the_release_has_the_program()
    {
        var recipe = new Recipe
        {
            Name = "x",
            Packages = ["p"],
            Executables = new Dictionary<string, string?> { ["sure"] = "-V", ["here?"] = "-v", ["elsewhere?"] = null },
        };
        var assembler = Assemble(recipe);
        assembler.Add(Package("p"), [File("usr/bin/here")]);
        Assert.Equal([new("here", "-v"), new("sure", "-V")], recipe.Promising(assembler.Tree).Executables);
    }

    [Fact]
    public void A_script_of_the_recipe_is_a_program()
    {
        var files = new Dictionary<string, string> { ["bin/tool"] = "#!/bin/sh\n", ["etc/tool"] = "set x\n" };
        var assembler = Assemble(new Recipe { Name = "x", Files = files });
        assembler.Finish(Nothing);
        Assert.True(assembler.Tree.FileAt("bin/tool")!.Executable);
        Assert.False(assembler.Tree.FileAt("etc/tool")!.Executable);
    }

    [Fact]
    public void A_wrapper_without_busybox_stops_the_build()
    {
        var wrappers = new Dictionary<string, Wrapper> { ["tool"] = new([], new Dictionary<string, string>()) };
        var assembler = Assemble(new Recipe { Name = "x", Packages = ["p"], Wrappers = wrappers });
        assembler.Add(Package("p"), [File("bin/tool")]);
        var error = Assert.Throws<ImageBuildException>(() => assembler.Finish(Nothing));
        Assert.Equal(
            "tool needs a wrapper, which bin/busybox runs: add the package busybox to the recipe.", error.Message);
    }

    [Fact]
    public void Links_and_wrappers_of_the_recipe_must_lead_somewhere_and_those_of_Debian_need_not()
    {
        var recipe = new Recipe
        {
            Name = "x",
            Links = new Dictionary<string, string> { ["bin/vi"] = "bin/vim" },
            Wrappers = new Dictionary<string, Wrapper> { ["gdb"] = new([], new Dictionary<string, string>()) },
        };

        Assemble(recipe).Finish(recipe);
        var error = Assert.Throws<ImageBuildException>(
            () => Assemble(recipe with { Wrappers = Nothing.Wrappers }).Finish(Nothing));
        Assert.Equal("The recipe's link bin/vi leads to bin/vim, which no package has.", error.Message);
        error = Assert.Throws<ImageBuildException>(
            () => Assemble(recipe with { Links = Nothing.Links }).Finish(Nothing));
        Assert.Equal("The recipe wraps gdb, which no package has.", error.Message);
    }

    [Fact]
    public void Certificates_become_one_bundle()
    {
        var assembler = Assemble(new Recipe { Name = "x", Packages = ["p"] });
        assembler.Add(Package("p"),
            [File("usr/share/ca-certificates/b.crt", "B\n\n"), File("usr/share/ca-certificates/a.crt", "A")]);
        assembler.Finish(Nothing);
        Assert.Equal("A\nB\n", Text(assembler, "etc/ssl/certs/ca-certificates.crt"));
        Assert.Single(assembler.Tree.Entries);
    }

    [Fact]
    public void Every_package_that_gives_a_file_gives_its_licence()
    {
        var assembler = Assemble(new Recipe { Name = "x", Packages = ["p", "q"] });
        assembler.Add(Package("p"), [File("bin/p"), new DebLink("usr/share/doc/p", "usr/share/doc/common")]);
        assembler.Add(Package("q"), [File("usr/share/doc/q/copyright", "Q")]);
        assembler.Add(Package("common"), [File("usr/share/doc/common/copyright", "C")]);
        assembler.Licences.AddTo(assembler.Tree);
        Assert.Equal("C", Text(assembler, "share/doc/p/copyright"));
        Assert.Null(assembler.Tree["share/doc/common/copyright"]);
    }

    private static TreeAssembler Assemble(Recipe recipe)
        => new(recipe with { Drop = [.. recipe.Drop, "share/doc/*"] }, Architecture.Amd64, recipe.Packages.ToHashSet());

    private static DebPackage Package(string name) => new(name, "1", "", "");

    private static DebFile File(string path, string content = "") => new(path, Encoding.UTF8.GetBytes(content), true);

    private static string Text(TreeAssembler assembler, string path) => Encoding.UTF8.GetString(assembler.Tree.FileAt(path)!.Content);
}
