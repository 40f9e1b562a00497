namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A directory under /tmp with a short name, because a Unix socket's path has at most 107 bytes.</summary>
public sealed class TemporaryDirectory : IAsyncDisposable
{
    private TemporaryDirectory(string path) => Path = path;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public static TemporaryDirectory Create() => new(Directory.CreateTempSubdirectory("cc-").FullName);

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Path, recursive: true);
        return default;
    }
}
