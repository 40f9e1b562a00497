namespace Crashcart.Image.Tests;

/// <summary>The default recipe's image, built once from the cache that every build on this machine shares.</summary>
public sealed class DefaultImage : IAsyncLifetime, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-image-test-");
    private HostileRoot? _root;
    private HostileRoot? _container;

    public string Path => System.IO.Path.Combine(_directory.FullName, "first.img");

    internal HostileRoot Root => _root ?? throw new InvalidOperationException("The image is not built.");

    /// <summary>One in which everything that could lead to the container's code does.</summary>
    internal HostileRoot Container => _container ?? throw new InvalidOperationException("The image is not built.");

    public async Task InitializeAsync()
    {
        await BuildAsync(Path);
        _root = new HostileRoot(Path);
        _container = new HostileRoot(Path);
        HostileContainer.Plant(_container);
    }

    public static Task BuildAsync(string output)
        => BuildAsync(RecipeLoader.Load(RecipeLoader.Default), output);

    public static Task BuildAsync(Recipe recipe, string output)
        => new ImageBuilder(recipe, new BuildOptions { Output = output }, BuildLog.Silent).BuildAsync(CancellationToken.None);

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _root?.Dispose();
        _container?.Dispose();
        _directory.Delete(recursive: true);
    }
}
