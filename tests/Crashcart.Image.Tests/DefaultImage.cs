namespace Crashcart.Image.Tests;

/// <summary>The default recipe's image, built once from the cache that every build on this machine shares.</summary>
public sealed class DefaultImage : IAsyncLifetime, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-image-test-");
    private HostileRoot? _root;

    public string Path => System.IO.Path.Combine(_directory.FullName, "first.img");

    internal HostileRoot Root => _root ?? throw new InvalidOperationException("The image is not built.");

    public async Task InitializeAsync()
    {
        await BuildAsync(Path);
        _root = new HostileRoot(Path);
    }

    public static Task BuildAsync(string output)
        => new ImageBuilder(Recipe.FromFile(RecipeFile()), TextWriter.Null).BuildAsync(output, CancellationToken.None);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _root?.Dispose();
        _directory.Delete(recursive: true);
    }

    private static string RecipeFile() => System.IO.Path.Combine(AppContext.BaseDirectory, "toolbox.yaml");
}
