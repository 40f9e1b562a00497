using System.IO.Pipelines;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Node.Tests.Streams;

/// <summary>A tool of pipes: as much as a kernel's pipe holds is buffered, and no more.</summary>
internal sealed class PipedTool : ITool
{
    private static readonly PipeOptions KernelPipe = new(pauseWriterThreshold: 65536, resumeWriterThreshold: 65535, useSynchronizationContext: false);

    private readonly Pipe _input = new(KernelPipe);
    private readonly Pipe _output = new(KernelPipe);
    private readonly Pipe _errors = new(KernelPipe);
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the tool's own side is: it reads here and writes there.</summary>
    public Stream Reads => _input.Reader.AsStream();

    public Stream Writes => _output.Writer.AsStream();

    public Stream WritesErrors => _errors.Writer.AsStream();

    public List<int> Signals { get; } = [];

    public List<(int Rows, int Columns)> Sizes { get; } = [];

    public Stream? StandardInput => _input.Writer.AsStream();

    public Stream StandardOutput => _output.Reader.AsStream();

    public Stream? StandardError => _errors.Reader.AsStream();

    public Task<int> Exited => _exited.Task;

    public string WhyExited { get; set; } = "";

    public void Exit(int code)
    {
        _output.Writer.Complete();
        _errors.Writer.Complete();
        _exited.TrySetResult(code);
    }

    public void Lose(Exception reason)
    {
        _output.Writer.Complete();
        _errors.Writer.Complete();
        _exited.TrySetException(reason);
    }

    public void CloseInput() => _input.Writer.Complete();

    public void Signal(int signal) => Signals.Add(signal);

    public void Resize(int rows, int columns) => Sizes.Add((rows, columns));

    public void Kill() => Exit(137);

    public ValueTask DisposeAsync()
    {
        Kill();
        return ValueTask.CompletedTask;
    }
}
