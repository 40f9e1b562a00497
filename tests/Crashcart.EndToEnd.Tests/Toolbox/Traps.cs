using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>
/// What a hostile container puts into a tool's way: variables and files that name code of its own. Each leaves a mark when
/// its code runs, by /trap/mark, which needs neither a shell nor a C library; /trap is a volume, so that containers with a
/// read-only root have it too.
/// </summary>
internal sealed class Traps : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly SemaphoreSlim _compiling = new(Environment.ProcessorCount);

    private Traps()
    {
    }

    private string MarksFile => _directory["marks"];

    /// <summary>For <c>docker run</c>: the volume and the variables.</summary>
    public string[] DockerOptions =>
    [
        "--volume", $"{_directory.Path}:/trap",
        .. TrapVariables.All.SelectMany(variable => (string[])["--env", $"{variable.Name}={variable.Value}"]),
    ];

    /// <summary>What code of the container's has run: a line each, with the trap's name and the command lines of the process and its parent.</summary>
    public string[] Marks => File.ReadAllLines(MarksFile);

    /// <summary>Everything in the volume: what a tool was told to read there, it must not write either.</summary>
    public IEnumerable<string> Files => Directory.EnumerateFileSystemEntries(_directory.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    /// <param name="tools">Names that the container has programs of its own for.</param>
    public static async Task<Traps> Set(IEnumerable<string> tools)
    {
        var traps = new Traps();
        traps.Forget();
        File.SetUnixFileMode(traps.MarksFile, (UnixFileMode)0x1B6); // 0666
        File.SetUnixFileMode(traps._directory.Path, (UnixFileMode)0x1ED); // 0755
        await traps.Compile(traps._directory["mark"], "-static", "-nostdlib");
        await traps.Plant(traps._directory.Path, [.. TrapFiles.OfVolume, .. tools.Select(tool => TrapFile.Program($"bin/{tool}", "PATH"))]);
        return traps;
    }

    /// <summary>Puts the files into a container's root that tools look for there.</summary>
    public Task Plant(string root) => Plant(root, TrapFiles.OfRoot);

    /// <summary>Puts the files there that tools look for where they are started.</summary>
    public Task PlantInDirectory(string directory) => Plant(directory, TrapFiles.OfWorkingDirectory);

    public void Forget() => File.WriteAllText(MarksFile, "");

    public ValueTask DisposeAsync()
    {
        _compiling.Dispose();
        return _directory.DisposeAsync();
    }

    private Task Plant(string root, IEnumerable<TrapFile> files) => Task.WhenAll(files.Select(async file =>
    {
        var path = Path.Combine(root, file.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (file.Library)
        {
            await Compile(path, "-shared", "-fPIC", "-nostdlib", $"-DTRAP=\"{file.Text}\"");
            return;
        }
        await File.WriteAllTextAsync(path, file.Text);
        if (file.Executable)
            File.SetUnixFileMode(path, (UnixFileMode)0x1ED); // 0755
    }));

    private async Task Compile(string output, params string[] options)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "Programs", "mark.c");
        await _compiling.WaitAsync();
        try
        {
            await new Command("gcc", ["-O1", "-ffreestanding", "-fno-stack-protector", .. options, "-o", output, source]).Output();
        }
        finally
        {
            _compiling.Release();
        }
    }
}
