using System.Threading.Channels;

namespace Crashcart.Coordinator.Streams;

/// <summary>Room for a number of frames; whoever finds none waits for it, in order.</summary>
internal sealed class Room(int frames)
{
    private readonly Channel<bool> _taken = Channel.CreateBounded<bool>(frames);

    public ValueTask Take(CancellationToken cancellation) => _taken.Writer.WriteAsync(true, cancellation);

    public void Return() => _taken.Reader.TryRead(out _);
}
