namespace Crashcart.Actors.Tests;

/// <summary>The sources that the tests were built from.</summary>
internal static class RepositoryRoot
{
    public static string Path { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string start)
    {
        for (DirectoryInfo? directory = new(start); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(directory.FullName, "Crashcart.sln")))
                return directory.FullName;
        }
        throw new DirectoryNotFoundException($"No directory above {start} holds Crashcart.sln: run the tests where they were built.");
    }
}
