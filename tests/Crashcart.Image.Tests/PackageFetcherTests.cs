namespace Crashcart.Image.Tests;

public sealed class PackageFetcherTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-fetch-");
    private readonly SmallArchive _archive = new();
    private readonly StringWriter _said = new();

    public PackageFetcherTests() => _archive.Publish("tool=1.0:data", "data=3", "libc6=2.36", "unrelated=1");

    [Fact]
    public void The_named_packages_come_with_all_that_they_depend_on()
    {
        var packages = Fetch();
        Assert.Equal(["data 3", "tool 1.0"], packages.Select(p => $"{p.Name} {p.Version}"));
        Assert.All(packages, p => Assert.True(File.Exists(p.Path)));
        Assert.Contains("Fetching 2 packages", _said.ToString());
    }

    [Fact]
    public void A_second_time_nothing_is_fetched()
    {
        Fetch();
        _said.GetStringBuilder().Clear();
        Assert.Equal(2, Fetch().Count);
        Assert.Equal("", _said.ToString());
    }

    [Fact]
    public void A_package_file_that_was_changed_is_refused()
    {
        _archive.Tamper("pool/tool_1.0.deb", "content of tool");
        var error = Assert.Throws<ImageBuildException>(() => Fetch());
        Assert.Contains("tool", error.Message);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_directory.FullName, "packages"), "*tool*"));
    }

    [Theory]
    [InlineData("pool/Packages", "Version: 1.0")]
    [InlineData("pool/InRelease", "Origin: Small")]
    [InlineData("pool/InRelease", "Packages")]
    public void A_list_that_was_changed_is_refused(string file, string text)
    {
        _archive.Tamper(file, text);
        Assert.Throws<ImageBuildException>(() => Fetch());
    }

    [Fact]
    public void A_list_that_somebody_else_signed_is_refused()
    {
        _archive.SignWithAnotherKey();
        var error = Assert.Throws<ImageBuildException>(() => Fetch());
        Assert.Contains("NO_PUBKEY", error.Message);
    }

    [Fact]
    public void A_list_that_nobody_signed_is_refused()
    {
        var signed = File.ReadAllLines(_archive.Path("pool/InRelease"));
        File.WriteAllLines(_archive.Path("pool/Release"), signed.Skip(3).TakeWhile(line => !line.StartsWith("---", StringComparison.Ordinal)));
        File.Delete(_archive.Path("pool/InRelease"));
        var error = Assert.Throws<ImageBuildException>(() => Fetch());
        Assert.Contains("is not signed", error.Message);
    }

    [Theory]
    [InlineData("x.list", "deb [arch=amd64 trusted=yes] file:/nowhere ./", "trusted=yes")]
    [InlineData("x.list", "deb [ allow-insecure=yes ] file:/nowhere ./", "allow-insecure=yes")]
    [InlineData("x.sources", "Types: deb\nURIs: file:/nowhere\nSuites: ./\nTrusted: yes", "Trusted=yes")]
    public void Sources_that_are_to_be_believed_unsigned_are_refused(string name, string text, string option)
    {
        var sources = _archive.WriteSources(name, text + "\n");
        var error = Assert.Throws<ImageBuildException>(() => Fetch(o => o with { Sources = sources }));
        Assert.StartsWith($"{sources} says {option}, which takes packages that nobody signed", error.Message);
    }

    [Fact]
    public void A_lock_pins_what_was_found_and_is_written_the_same_each_time()
    {
        var path = Update();
        var text = File.ReadAllText(path);
        Assert.Contains("recipe: r\nrelease: Small tiny\namd64:\n  named:\n    - tool\n  packages:\n    - data 3 all ", text);
        Update();
        Assert.Equal(text, File.ReadAllText(path));
        Assert.Equal(["data 3", "tool 1.0"], Fetch().Select(p => $"{p.Name} {p.Version}"));
    }

    [Fact]
    public void A_locked_package_that_the_archive_has_no_more_is_named()
    {
        var path = Update();
        EmptyCache();
        _archive.Publish("tool=1.1:data", "data=3", "libc6=2.36");
        var error = Assert.Throws<ImageBuildException>(() => Fetch());
        Assert.Equal($"{path} pins what the archive has no more: tool 1.0. Renew it with --update.", error.Message);
        Update();
        Assert.Equal(["data 3", "tool 1.1"], Fetch().Select(p => $"{p.Name} {p.Version}"));
    }

    [Fact]
    public void A_locked_package_that_is_in_the_cache_needs_no_archive()
    {
        Update();
        _archive.Publish("libc6=2.36");
        Assert.Equal(["data 3", "tool 1.0"], Fetch().Select(p => $"{p.Name} {p.Version}"));
    }

    [Fact]
    public void A_lock_of_another_release_says_so()
    {
        var path = Update();
        File.WriteAllText(path, File.ReadAllText(path).Replace("release: Small tiny", "release: Small huge", StringComparison.Ordinal));
        EmptyCache();
        _archive.Publish("tool=1.1:data", "data=3", "libc6=2.36");
        var error = Assert.Throws<ImageBuildException>(() => Fetch());
        Assert.Equal($"{path} is for Small huge, and the sources here are Small tiny's. Renew it with --update.", error.Message);
    }

    [Fact]
    public void A_recipe_that_was_changed_since_says_what_the_lock_lacks()
    {
        var path = Update();
        var error = Assert.Throws<ImageBuildException>(() => Fetch(recipe: Recipe("tool", "unrelated")));
        Assert.Equal($"{path} lacks what the recipe names: unrelated. Renew it with --update.", error.Message);
        error = Assert.Throws<ImageBuildException>(() => Fetch(recipe: Recipe("data")));
        Assert.Equal($"{path} lacks what the recipe names: data. Renew it with --update.", error.Message);
        error = Assert.Throws<ImageBuildException>(() => Fetch(recipe: Recipe("tool") with { Name = "other" }));
        Assert.Equal($"{path} is for the recipe r, not for other. Renew it with --update.", error.Message);
    }

    [Fact]
    public void A_lock_that_was_named_and_is_not_there_is_told()
    {
        var error = Assert.Throws<ImageBuildException>(() => Fetch(o => o with { Lock = "/nowhere/x.lock" }));
        Assert.Equal("There is no lock /nowhere/x.lock: write it with --update.", error.Message);
    }

    [Fact]
    public void A_lock_that_is_damaged_is_told()
    {
        var path = Update();
        File.WriteAllText(path, File.ReadAllText(path).Replace(" all ", " all; ", StringComparison.Ordinal));
        var error = Assert.Throws<ImageBuildException>(() => Fetch());
        Assert.Equal($"{path} is no lock of packages, or a damaged one: write it again with --update.", error.Message);
    }

    [Fact]
    public void The_lock_of_a_shipped_recipe_gives_way_and_what_was_found_is_pinned_beside_the_image()
    {
        var packages = Fetch(recipe: Recipe("tool") with { Name = "toolbox", Source = "toolbox" });
        var written = Path.Combine(_directory.FullName, "out.lock");
        Assert.Equal(["data 3", "tool 1.0"], packages.Select(p => $"{p.Name} {p.Version}"));
        Assert.Contains("Resolving packages afresh: the lock that crashcart was built with ", _said.ToString());
        Assert.Contains($"{written} pins what was found", _said.ToString());
        Assert.Equal("toolbox", LockFile.Parse(File.ReadAllText(written), written).Recipe);
    }

    /// <summary>One that is for other sources than those that were named.</summary>
    [Fact]
    public void A_shipped_recipes_lock_gives_way_to_named_sources_even_when_the_cache_has_its_packages()
    {
        var shipped = LockPlace.Find(null, "minimal")!.Read()!;
        var recipe = RecipeLoader.Load("minimal").Over(ImageBuilder.Debian()) with { Name = "minimal", Source = "minimal" };
        var cache = Directory.CreateDirectory(Path.Combine(_directory.FullName, "packages")).FullName;
        foreach (var package in shipped.Packages["amd64"].Packages)
            File.WriteAllText(Path.Combine(cache, package.Sha256 + ".deb"), "");

        Assert.Throws<ImageBuildException>(() => Fetch(recipe: recipe));
        Assert.Contains($"is for {shipped.Release}, and the sources here are Small tiny's", _said.ToString());
    }

    [Fact]
    public void Of_alternatives_the_first_is_taken_that_the_sources_have()
    {
        Assert.Equal(["data 3", "tool 1.0"], Names(Fetch(recipe: Recipe("gone | tool | unrelated", "da*"))));
        var error = Assert.Throws<ImageBuildException>(() => Fetch(recipe: Recipe("gone | none")));
        Assert.Equal("apt's sources have none of the packages gone, none, one of which the recipe wants.", error.Message);
    }

    [Fact]
    public void A_lock_pins_the_alternative_that_was_taken()
    {
        var recipe = Recipe("newer | tool");
        Fetch(o => o with { Update = true, Architecture = "amd64" }, recipe);
        _archive.Publish("newer=2", "tool=1.0:data", "data=3", "libc6=2.36");
        Assert.Equal(["data 3", "tool 1.0"], Names(Fetch(recipe: recipe)));
        ForgetLists();
        Fetch(o => o with { Update = true, Architecture = "amd64" }, recipe);
        Assert.Equal(["newer 2"], Names(Fetch(recipe: recipe)));
    }

    [Fact]
    public void Every_shipped_recipe_has_a_lock_that_applies_to_it()
    {
        Assert.All(RecipeLoader.Shipped, name =>
        {
            var recipe = RecipeLoader.Load(name).Over(ImageBuilder.Debian());
            var locked = LockPlace.Find(null, name)?.Read();
            Assert.NotNull(locked);
            Assert.All(Architecture.All, a => Assert.Null(locked.Fault(name, recipe.For(a, docs: true).Packages, a)));
        });
    }

    [Fact]
    public void What_was_not_used_for_a_month_leaves_the_cache()
    {
        Fetch();
        var stale = Path.Combine(_directory.FullName, "packages", "stale.deb");
        File.WriteAllText(stale, "");
        File.SetLastWriteTimeUtc(stale, DateTime.UtcNow - TimeSpan.FromDays(31));
        Fetch();
        Assert.False(File.Exists(stale));
        Assert.Equal(2, Directory.EnumerateFiles(Path.Combine(_directory.FullName, "packages")).Count());
    }

    public void Dispose()
    {
        _archive.Dispose();
        _directory.Delete(recursive: true);
        _said.Dispose();
    }

    private static IEnumerable<string> Names(IEnumerable<DebPackage> packages) => packages.Select(p => $"{p.Name} {p.Version}");

    private string Update()
    {
        Fetch(o => o with { Update = true, Architecture = "amd64" });
        return Path.Combine(_directory.FullName, "r.lock");
    }

    private IReadOnlyList<DebPackage> Fetch(Func<BuildOptions, BuildOptions>? change = null, Recipe? recipe = null)
    {
        var options = new BuildOptions { Output = Path.Combine(_directory.FullName, "out.img"), Sources = _archive.Sources };
        return new PackageFetcher(
            recipe ?? Recipe("tool"), change?.Invoke(options) ?? options, _directory.FullName, new BuildLog(_said), CancellationToken.None)
            .Fetch(Architecture.Amd64).Packages;
    }

    private Recipe Recipe(params string[] packages)
        => new() { Name = "r", Packages = packages, Source = Path.Combine(_directory.FullName, "r.yaml") };

    private void ForgetLists()
    {
        foreach (var stamp in _directory.EnumerateFiles("updated", SearchOption.AllDirectories))
            stamp.Delete();
    }

    private void EmptyCache() => Directory.Delete(Path.Combine(_directory.FullName, "packages"), recursive: true);
}
