namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>What <c>./build.sh publish</c> made: in CRASHCART_ARTIFACTS, or in artifacts/ at the repository's root.</summary>
internal static class Artifacts
{
    public static string Cli => Find("crashcart");

    public static string Node => Find("crashcart-node");

    public static string Coordinator => Find("crashcart-coordinator");

    public static string Image => Find("crashcart.img");

    public static string FullImage => Find("crashcart-full.img");

    /// <summary>The fault campaign's: it ends, stops or fails at named steps.</summary>
    public static string FaultyCli => Find("faults/crashcart");

    private static string Find(string name)
    {
        var path = Path.Combine(Folder(), name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"There is no {path}: run ./build.sh publish first.");
    }

    /// <summary>Its root.</summary>
    public static string Repository
    {
        get
        {
            for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory != null; directory = directory.Parent)
            {
                if (File.Exists(Path.Combine(directory.FullName, "Crashcart.sln")))
                    return directory.FullName;
            }
            throw new DirectoryNotFoundException("Crashcart.sln is in no directory above the tests: set CRASHCART_ARTIFACTS.");
        }
    }

    private static string Folder() => Environment.GetEnvironmentVariable("CRASHCART_ARTIFACTS") is { Length: > 0 } folder
        ? folder
        : Path.Combine(Repository, "artifacts");
}
