using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>Is kept for as long as the spec lasts, or cannot be kept.</summary>
internal sealed class ScriptedCordon : ICordon
{
    public bool IsSet { get; set; }

    public NodeException? Problem { get; set; }

    public Task SetAsync(bool isSet)
    {
        if (Problem is not null)
            return Task.FromException(Problem);
        IsSet = isSet;
        return Task.CompletedTask;
    }
}
