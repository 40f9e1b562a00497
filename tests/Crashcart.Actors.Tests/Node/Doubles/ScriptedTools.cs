using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>Starts the one tool that the spec gave it, or fails, or waits for the spec.</summary>
internal sealed class ScriptedTools : ITools
{
    private readonly TaskCompletionSource _hold = new();

    public ScriptedTool Tool { get; init; } = new();

    public NodeException? Refusal { get; init; }

    public bool Holds { get; init; }

    public int Starts { get; private set; }

    public bool WasCancelled { get; private set; }

    public void GoOn() => _hold.TrySetResult();

    public async Task<ITool> StartAsync(StartSession request, ITarget target, IAttachedImage image, CancellationToken cancellation)
    {
        Starts++;
        cancellation.Register(() => WasCancelled = true);
        if (Holds)
            await _hold.Task;
        return Refusal is { } reason ? throw reason : Tool;
    }
}
