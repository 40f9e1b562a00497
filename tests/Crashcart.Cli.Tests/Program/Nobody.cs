using System.Diagnostics;

namespace Crashcart.Cli.Tests.Program;

/// <summary>
/// Owns a user without privilege, nobody, with a home, a cache and a place for scratch of its own, and a small image that
/// this user has built. Needs root, to become that user.
/// </summary>
public sealed class Nobody : IAsyncLifetime
{
    private const string Id = "65534";

    private const string Recipe = """
        name: tiny
        packages:
          - busybox
        executables:
          busybox: --help

        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ccnobody-");

    /// <summary>The recipe; its lock is beside it.</summary>
    public string RecipePath => this["tiny.yaml"];

    /// <summary>What the user built first, and wrote the lock for.</summary>
    public string Image => this["first.img"];

    private string ProgramPath => Path.Combine(this["program"], Path.GetFileName(CliProcess.ProgramPath));

    /// <summary>A path in the user's own directory.</summary>
    public string this[string name] => Path.Combine(_directory.FullName, name);

    public async Task InitializeAsync()
    {
        foreach (var name in (string[])["home", "cache", "tmp"])
            Directory.CreateDirectory(this[name]);
        await File.WriteAllTextAsync(RecipePath, Recipe);
        // The program may be where only root comes.
        await Run("cp", "-r", Path.GetDirectoryName(CliProcess.ProgramPath)!, this["program"]);
        await Run("chown", "-R", $"{Id}:{Id}", _directory.FullName);

        var (status, _, error) = await RunAsync("image", "build", "-f", RecipePath, "-o", Image, "--update");
        Assert.True(status == 0, error);
    }

    public Task DisposeAsync()
    {
        _directory.Delete(recursive: true);
        return Task.CompletedTask;
    }

    internal async Task<(int Status, string Output, string Error)> RunAsync(params IEnumerable<string> arguments)
    {
        using var cli = Start(arguments);
        return await cli.ResultAsync();
    }

    /// <summary>Starts <c>crashcart</c> as this user.</summary>
    internal CliProcess Start(params IEnumerable<string> arguments) => CliProcess.StartProgram(
        "setpriv",
        ["--reuid", Id, "--regid", Id, "--clear-groups", ProgramPath, .. arguments],
        new Dictionary<string, string>
        {
            ["HOME"] = this["home"],
            ["XDG_CACHE_HOME"] = this["cache"],
            ["TMPDIR"] = this["tmp"],
            ["PATH"] = $"{this["path"]}:{Environment.GetEnvironmentVariable("PATH")}",
            ["DOTNET_ROOT"] = Path.GetDirectoryName(Environment.ProcessPath)!,
            // .NET's own files in TMPDIR.
            ["DOTNET_EnableDiagnostics"] = "0",
        });

    /// <summary>A program in front of those of the host, for this user alone.</summary>
    /// <returns>What takes it away again.</returns>
    internal IDisposable Shadow(string program, string script)
    {
        Directory.CreateDirectory(this["path"]);
        var file = this[$"path/{program}"];
        File.WriteAllText(file, script);
        File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        return new Shadowed(file);
    }

    /// <summary>Makes the next build fetch the archive's lists.</summary>
    internal void ForgetLists() => Forget("updated");

    /// <summary>Makes the next build unpack its packages.</summary>
    internal void ForgetUnpacked() => Forget("*.quick");

    private void Forget(string pattern)
    {
        foreach (var file in Directory.EnumerateFiles(this["cache"], pattern, SearchOption.AllDirectories))
            File.Delete(file);
    }

    /// <summary>The command lines of this user's processes that were started here.</summary>
    internal IEnumerable<string> Processes() =>
        from process in Directory.GetDirectories("/proc")
        where char.IsAsciiDigit(Path.GetFileName(process)[0])
        where Read($"{process}/environ").Split('\0').Contains($"TMPDIR={this["tmp"]}")
        select Read($"{process}/cmdline").Replace('\0', ' ');

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static async Task Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    private sealed class Shadowed(string file) : IDisposable
    {
        public void Dispose() => File.Delete(file);
    }
}

[CollectionDefinition(Name)]
public sealed class AsNobody : ICollectionFixture<Nobody>
{
    public const string Name = "as nobody";
}
