using System.Buffers;
using System.Diagnostics;
using System.Text;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A command while it runs; disposing kills it when it still does.</summary>
internal sealed class RunningCommand : IAsyncDisposable
{
    private readonly Command _command;
    private readonly Process _process;
    private readonly Capture _output;
    private readonly Capture _error;

    public RunningCommand(Command command, Process process)
    {
        _command = command;
        _process = process;
        _output = new Capture(process.StandardOutput.BaseStream);
        _error = new Capture(process.StandardError.BaseStream);
    }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it has written to standard output so far.</summary>
    public string OutputSoFar => Encoding.UTF8.GetString(_output.Bytes);

    public string ErrorSoFar => Encoding.UTF8.GetString(_error.Bytes);

    public async Task Write(string text)
    {
        try
        {
            await _process.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(text));
            await _process.StandardInput.BaseStream.FlushAsync();
        }
        catch (IOException) when (_process.HasExited)
        {
            // It ended without reading all of its input; its exit status tells the rest.
        }
    }

    public void CloseInput()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // As above, with what was still buffered.
        }
    }

    public void Signal(int signal)
    {
        if (LibC.kill(Pid, signal) != 0 && LibC.errno != LibC.ESRCH)
            throw new InvalidOperationException($"kill({Pid}, {signal}): errno {LibC.errno}");
    }

    /// <summary>Waits until standard output holds the text.</summary>
    public Task Says(string text, TimeSpan? within = null) => Eventually.Holds(
        () => OutputSoFar.Contains(text, StringComparison.Ordinal),
        () => $"'{_command}' says '{text}'; it said '{OutputSoFar}' and on standard error '{ErrorSoFar}'",
        within);

    /// <summary>Waits for its end and the end of its output.</summary>
    public async Task<CommandResult> Result()
    {
        using var patience = new CancellationTokenSource(_command.Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
            await Task.WhenAll(_output.Completed, _error.Completed).WaitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException(
                $"'{_command}' (PID {Pid}, {(HasExited ? "ended" : "running")}) did not finish in {_command.Patience.TotalSeconds} s; "
                + $"standard output: '{OutputSoFar}', standard error: '{ErrorSoFar}'");
        }
        return new CommandResult(_command.ToString(), _process.ExitCode, _output.Bytes, ErrorSoFar);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    /// <summary>Everything that a stream has given, readable while it still gives.</summary>
    private sealed class Capture
    {
        private readonly ArrayBufferWriter<byte> _bytes = new();
        private readonly Lock _lock = new();

        public Capture(Stream stream) => Completed = Read(stream);

        public Task Completed { get; }

        public byte[] Bytes
        {
            get
            {
                lock (_lock)
                    return _bytes.WrittenSpan.ToArray();
            }
        }

        private async Task Read(Stream stream)
        {
            var buffer = new byte[64 * 1024];
            int count;
            while ((count = await stream.ReadAsync(buffer)) > 0)
            {
                lock (_lock)
                    _bytes.Write(buffer.AsSpan(0, count));
            }
        }
    }
}
