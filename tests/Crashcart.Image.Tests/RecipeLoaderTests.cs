namespace Crashcart.Image.Tests;

public sealed class RecipeLoaderTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-recipes-");

    [Fact]
    public void The_default_recipe_is_part_of_the_program()
    {
        Assert.Contains(RecipeLoader.Default, RecipeLoader.Shipped);
        Assert.Equal("toolbox", RecipeLoader.Load("toolbox").Name);
    }

    [Fact]
    public void Every_shipped_recipe_is_one()
        => Assert.All(RecipeLoader.Shipped, name => Assert.Equal(name, RecipeLoader.Load(name).Name));

    [Fact]
    public void A_recipe_includes_others_beside_it_and_shipped_ones()
    {
        Write("base.yaml", "name: base\npackages: [one]\nlinks: { a: base, b: base }");
        Write("more.yaml", "name: more\npackages: [two]\nlinks: { a: more }");
        var recipe = RecipeLoader.Load(Write("top.yaml", "name: top\ninclude: [toolbox, base.yaml, more.yaml]\npackages: [three]"));

        Assert.Equal("top", recipe.Name);
        Assert.Equal(["one", "two", "three"], recipe.Packages.TakeLast(3));
        Assert.Contains("bash", recipe.Packages);
        Assert.Equal("more", recipe.Links["a"]);
        Assert.Equal("base", recipe.Links["b"]);
    }

    [Fact]
    public void A_recipe_that_includes_itself_is_refused()
    {
        var one = Write("one.yaml", "name: one\ninclude: two.yaml");
        var two = Write("two.yaml", "name: two\ninclude: one.yaml");
        var error = Assert.Throws<ImageBuildException>(() => RecipeLoader.Load(one));
        Assert.Equal($"The recipe {one} includes itself: {one} includes {two} includes {one}.", error.Message);
    }

    [Fact]
    public void A_file_that_does_not_exist_is_named()
    {
        var error = Assert.Throws<ImageBuildException>(() => RecipeLoader.Load("/nowhere/toolbox.yaml"));
        Assert.StartsWith("Cannot read the recipe /nowhere/toolbox.yaml: ", error.Message);
    }

    [Fact]
    public void A_name_that_is_not_shipped_is_told_with_those_that_are()
    {
        var error = Assert.Throws<ImageBuildException>(() => RecipeLoader.Load("tolbox"));
        Assert.StartsWith("There is no recipe 'tolbox': ", error.Message);
        Assert.Contains("toolbox", error.Message);
        Assert.EndsWith(" are shipped, and a file is named with a slash or .yaml.", error.Message);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
