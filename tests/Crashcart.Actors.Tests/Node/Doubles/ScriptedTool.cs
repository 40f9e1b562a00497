using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>A tool that runs until the spec, a signal that it obeys, or a kill ends it.</summary>
internal sealed class ScriptedTool : ITool
{
    private readonly TaskCompletionSource<int> _exited = new();
    private readonly List<int> _signals = [];

    public bool Obeys { get; init; } = true;

    public bool WasKilled { get; private set; }

    public bool IsDisposed { get; private set; }

    public IReadOnlyList<int> Signals => _signals;

    public Stream? StandardInput => null;

    public Stream StandardOutput => Stream.Null;

    public Stream? StandardError => null;

    public Task<int> Exited => _exited.Task;

    public string WhyExited => "";

    public void Exit(int code) => _exited.TrySetResult(code);

    public void CloseInput() => throw new NotSupportedException("A tool without standard input gets no end of it.");

    public void Signal(int signal)
    {
        _signals.Add(signal);
        if (Obeys)
            Exit(128 + signal);
    }

    public void Resize(int rows, int columns) => throw new NotSupportedException("A tool without a terminal is not resized.");

    public void Kill()
    {
        WasKilled = true;
        Exit(137);
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        Kill();
        return default;
    }
}
