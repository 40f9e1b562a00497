using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace Crashcart.Cli.Tests.Program;

/// <summary>Owns one run of the <c>crashcart</c> program, with a clean environment and pipes.</summary>
internal sealed class CliProcess : IDisposable
{
    public static readonly string ProgramPath = typeof(CliProcess).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "Program").Value!;

    private readonly Process _process;

    private CliProcess(Process process)
    {
        _process = process;
        Error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Completes with all that it wrote to standard error.</summary>
    public Task<string> Error { get; }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    public static CliProcess Start(params IEnumerable<string> arguments) => StartProgram(ProgramPath, arguments);

    /// <summary>With a standard descriptor closed.</summary>
    /// <param name="closing">As sh(1) has it: <c>&lt;&amp;-</c>.</param>
    /// <param name="arguments">The program's.</param>
    public static CliProcess StartClosing(string closing, params IEnumerable<string> arguments) =>
        StartProgram("/bin/sh", ["-c", $"exec \"$@\" {closing}", "sh", ProgramPath, .. arguments]);

    /// <summary>Through another program, which executes the last arguments.</summary>
    /// <param name="program">That one.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Set for it, over this process's.</param>
    public static CliProcess StartProgram(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("CRASHCART_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["HOME"] = "/nonexistent";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new CliProcess(Process.Start(start)!);
    }

    /// <summary>Runs it to its end with empty input.</summary>
    public static async Task<(int Status, string Output, string Error)> RunAsync(params IEnumerable<string> arguments)
    {
        using var cli = Start(arguments);
        return await cli.ResultAsync();
    }

    /// <summary>Lets it run to its end with empty input.</summary>
    public async Task<(int Status, string Output, string Error)> ResultAsync()
    {
        Input.Close();
        var output = await ReadOutputAsync();
        return (await ExitAsync(), output, await Error);
    }

    public async Task<string> ReadOutputAsync()
    {
        using var everything = new MemoryStream();
        await Output.CopyToAsync(everything);
        return Encoding.Latin1.GetString(everything.ToArray());
    }

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <param name="name">As kill(1) has it: INT, TERM.</param>
    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
