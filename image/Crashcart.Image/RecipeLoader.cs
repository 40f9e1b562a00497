using System.Text;

namespace Crashcart.Image;

/// <summary>Finds recipes, shipped ones by name and others by path, with all that they include.</summary>
public static class RecipeLoader
{
    /// <summary>The shipped recipe that is meant when none is named.</summary>
    public const string Default = "toolbox";

    /// <summary>Names of the recipes that are part of the program.</summary>
    public static IReadOnlyList<string> Shipped => Resource.Names("recipes/", ".yaml");

    /// <param name="name">A shipped recipe's name, or a path: what has a slash or ends in <c>.yaml</c> or <c>.yml</c>.</param>
    /// <exception cref="ImageBuildException">No such recipe, or not a recipe; says the line and the column.</exception>
    public static Recipe Load(string name) => Load(name, Directory.GetCurrentDirectory(), []) with { Source = name };

    internal static bool IsPath(string name)
        => name.Contains('/') || name.EndsWith(".yaml", StringComparison.Ordinal) || name.EndsWith(".yml", StringComparison.Ordinal);

    private static Recipe Load(string name, string directory, IReadOnlyList<string> above)
    {
        var source = IsPath(name) ? Path.GetFullPath(name, directory) : name;
        if (above.Contains(source))
            throw new ImageBuildException($"The recipe {source} includes itself: {string.Join(" includes ", above.Append(source))}.");

        var recipe = IsPath(name) ? Read(source, name) : ReadShipped(name);
        // A shipped recipe includes shipped ones only, so its directory does not matter.
        var beside = IsPath(name) ? Path.GetDirectoryName(source)! : directory;
        return recipe.Include
            .Select(included => Load(included, beside, [.. above, source]))
            .Aggregate<Recipe, Recipe?>(null, (under, next) => under is null ? next : next.Over(under)) is { } all
            ? recipe.Over(all)
            : recipe;
    }

    private static Recipe Read(string path, string name)
    {
        try
        {
            using var text = File.OpenText(path);
            return RecipeReader.Read(text, name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageBuildException($"Cannot read the recipe {name}: {e.Message}", e);
        }
    }

    private static Recipe ReadShipped(string name)
    {
        if (!Shipped.Contains(name))
            throw new ImageBuildException(
                $"There is no recipe '{name}': {string.Join(", ", Shipped)} are shipped, and a file is named with a slash or .yaml.");
        using var text = new StringReader(Encoding.UTF8.GetString(Resource.Read($"recipes/{name}.yaml")));
        return RecipeReader.Read(text, $"{name}.yaml");
    }
}
