using System.Text;

namespace Crashcart.Image;

/// <summary>Where a build's lock is, and how much it counts.</summary>
/// <param name="Path">The file; null when the lock is part of the program.</param>
/// <param name="Text">What is there; null when there is nothing yet.</param>
/// <param name="MustApply">Whether a build fails that the lock does not apply to; else it resolves afresh.</param>
internal sealed record LockPlace(string? Path, string? Text, bool MustApply)
{
    /// <param name="lockFile">The one that the user names; null for the recipe's own.</param>
    /// <param name="recipe">The recipe as it was named; null when it has no place.</param>
    /// <returns>Null when there is none, nor a place for one.</returns>
    /// <exception cref="ImageBuildException">A lock cannot be read.</exception>
    public static LockPlace? Find(string? lockFile, string? recipe)
    {
        if (lockFile is not null)
            return OfFile(lockFile);
        if (recipe is null)
            return null;
        if (RecipeLoader.IsPath(recipe))
            return OfFile(System.IO.Path.ChangeExtension(recipe, ".lock"));
        return Resource.TryRead($"recipes/{recipe}.lock") is { } shipped
            ? new LockPlace(null, Encoding.UTF8.GetString(shipped), MustApply: false)
            : null;
    }

    public LockFile? Read() => Text is null ? null : LockFile.Parse(Text, Name);

    /// <summary>What errors call it.</summary>
    public string Name => Path ?? "the lock that crashcart was built with";

    private static LockPlace OfFile(string path)
    {
        try
        {
            return new LockPlace(path, File.Exists(path) ? File.ReadAllText(path) : null, MustApply: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageBuildException($"Cannot read the lock {path}: {e.Message}", e);
        }
    }
}
