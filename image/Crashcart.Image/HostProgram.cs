using System.Diagnostics;
using System.Text;

namespace Crashcart.Image;

/// <summary>A program of the host that a build runs.</summary>
internal sealed class HostProgram
{
    /// <summary>Users' PATHs often lack the directories of the administrator's programs.</summary>
    private static readonly string[] MoreDirectories = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

    private readonly string _directory;
    private readonly string? _without;

    private HostProgram(string path, string directory = "", string? without = null)
        => (Path, _directory, _without) = (path, directory, without);

    public string Path { get; }

    /// <summary>The same program, run in another working directory than this process's.</summary>
    public HostProgram In(string directory) => new(Path, directory, _without);

    /// <summary>The same program, without a variable of this process's environment.</summary>
    public HostProgram Without(string variable) => new(Path, _directory, variable);

    /// <exception cref="MissingProgramException">It is not installed; names the package.</exception>
    public static HostProgram Find(string name, string package)
        => TryFind(name) ?? throw new MissingProgramException(
            $"This needs the program {name}, which is not installed: apt-get install {package}");

    public static HostProgram? TryFind(string name)
    {
        var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        var path = directories.Concat(MoreDirectories).Select(d => System.IO.Path.Combine(d, name)).FirstOrDefault(File.Exists);
        return path is null ? null : new HostProgram(path);
    }

    /// <summary>Runs it to its end and gives its standard output.</summary>
    /// <exception cref="ImageBuildException">It failed; carries what it said.</exception>
    public string Run(
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        CancellationToken cancel = default)
        => Run(arguments, Text, environment, cancel);

    /// <summary>Runs it to its end and gives its standard output, whether or not it failed.</summary>
    public string RunAnyway(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, CancellationToken cancel)
        => Run(Describe(arguments, environment), Text, cancel).Result;

    /// <param name="arguments">Its arguments, without the name.</param>
    /// <param name="read">Reads its standard output; what is left unread is thrown away.</param>
    /// <param name="environment">Added to this process's.</param>
    /// <param name="cancel">Kills it and what it started.</param>
    public T Run<T>(
        IEnumerable<string> arguments,
        Func<Stream, T> read,
        IReadOnlyDictionary<string, string>? environment = null,
        CancellationToken cancel = default)
    {
        var start = Describe(arguments, environment);
        var (result, status, errors) = Run(start, read, cancel);
        return status == 0
            ? result
            : throw new ImageBuildException($"{CommandLine(start)} failed with status {status}: {errors}");
    }

    /// <summary>Runs it for at most <paramref name="limit"/> with nothing on standard input, and kills it on cancellation.</summary>
    /// <returns>Its status (null: it was killed at the limit) and all that it said.</returns>
    public (int? Status, string Said) Try(
        IEnumerable<string> arguments,
        TimeSpan limit,
        IReadOnlyDictionary<string, string> onlyEnvironment,
        CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        var start = Describe(arguments, null);
        start.Environment.Clear();
        foreach (var (name, value) in onlyEnvironment)
            start.Environment[name] = value;

        using var process = Process.Start(start) ?? throw new ImageBuildException($"{Path} did not start.");
        using var kill = cancel.Register(() => process.Kill(entireProcessTree: true));
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var inTime = process.WaitForExit(limit);
        if (!inTime)
            process.Kill(entireProcessTree: true);
        process.WaitForExit();
        cancel.ThrowIfCancellationRequested();
        return (inTime ? process.ExitCode : null, (output.Result + errors.Result).Trim());
    }

    private (T Result, int Status, string Errors) Run<T>(ProcessStartInfo start, Func<Stream, T> read, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        using var process = Process.Start(start) ?? throw new ImageBuildException($"{Path} did not start.");
        using var kill = cancel.Register(() => process.Kill(entireProcessTree: true));
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        T result;
        try
        {
            result = read(process.StandardOutput.BaseStream);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }

        process.StandardOutput.BaseStream.CopyTo(Stream.Null);
        process.WaitForExit();
        cancel.ThrowIfCancellationRequested();
        return (result, process.ExitCode, errors.Result.Trim());
    }

    private static string Text(Stream output) => new StreamReader(output, Encoding.UTF8).ReadToEnd();

    private ProcessStartInfo Describe(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(Path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _directory,
        };
        start.Environment["LC_ALL"] = "C";
        if (_without is not null)
            start.Environment.Remove(_without);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return start;
    }

    private string CommandLine(ProcessStartInfo start) => string.Join(' ', start.ArgumentList.Prepend(Path));
}
