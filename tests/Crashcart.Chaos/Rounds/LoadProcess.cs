using System.Diagnostics;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.Chaos.Rounds;

/// <summary>One command of the load while it runs. Its output is thrown away, at once or slowly.</summary>
internal sealed class LoadProcess : IDisposable
{
    private static readonly TimeSpan SlowRead = TimeSpan.FromMilliseconds(50);

    /// <summary>How long each way to end it is given, the politest first.</summary>
    private static readonly (int Signal, TimeSpan Patience)[] Ladder =
    [
        (LibC.SIGINT, TimeSpan.FromMilliseconds(500)),
        (LibC.SIGHUP, TimeSpan.FromMilliseconds(1000)),
        (LibC.SIGTERM, TimeSpan.FromSeconds(20)),
    ];

    private readonly Process _process;
    private readonly string _what;
    private readonly StringBuilder _errors = new();
    private readonly CancellationTokenSource _unhurried = new();
    private readonly Task _read;

    private LoadProcess(Process process, string what, bool slow)
    {
        _process = process;
        _what = what;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
                _errors.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
        _read = Read(process.StandardOutput.BaseStream, slow);
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <param name="slow">Whoever reads its output takes his time.</param>
    public static LoadProcess Start(Command command, bool slow = false)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        return new LoadProcess(Process.Start(start)!, command.ToString(), slow);
    }

    /// <summary>Asks it to end, again and again. The answer is a sentence when it had to be killed, else null.</summary>
    public async Task<string?> End(Func<int, IEnumerable<int>> processes)
    {
        await _unhurried.CancelAsync();
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended without reading all of it.
        }
        string? hung = null;
        foreach (var (signal, patience) in Ladder)
        {
            if (_process.HasExited)
                break;
            foreach (var pid in processes(Pid))
                _ = LibC.kill(pid, signal);
            await Ended(patience);
        }
        if (!_process.HasExited)
        {
            hung = $"'{_what}' (PID {Pid}) does not end on SIGINT, SIGHUP and SIGTERM; it said: {Errors()}";
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        await _read.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return hung;
    }

    public void Dispose()
    {
        _process.Dispose();
        _unhurried.Dispose();
    }

    public string Errors()
    {
        lock (_errors)
            return _errors.ToString().Trim();
    }

    private async Task Ended(TimeSpan patience)
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            // The next step of the ladder.
        }
    }

    private async Task Read(Stream output, bool slow)
    {
        var buffer = new byte[64 * 1024];
        while (await output.ReadAsync(buffer) > 0)
        {
            if (slow && !_unhurried.IsCancellationRequested)
                await Task.Delay(SlowRead, _unhurried.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
