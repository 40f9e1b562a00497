using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Identity;
using Protocol = Crashcart.Actors.Protocol;

namespace Crashcart.Node.Streams;

/// <summary>Dials coordinators by gRPC; all sessions of one coordinator share its connections.</summary>
internal sealed class SessionStreams(MemberIdentity? identity) : ISessionStreams, IDisposable
{
    // What may be under way to a tool that does not read; the other direction's is the coordinator's to set.
    private const int StreamWindow = 1 << 20;

    private readonly CoordinatorChannels _channels = new(StreamWindow, identity);

    public async Task<ISessionCall> DialAsync(string endpoint, ReadOnlyMemory<byte> ticket, CancellationToken cancellation)
    {
        var client = new Protocol.SessionStreams.SessionStreamsClient(_channels.To(endpoint));
        // The token is for dialling alone: what comes after is ended by disposing the call.
        var call = new SessionCall(client.Attach(cancellationToken: CancellationToken.None), endpoint);
        try
        {
            await call.PresentAsync(ticket, cancellation).ConfigureAwait(false);
            return call;
        }
        catch
        {
            await call.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task RelayAsync(string endpoint, ReadOnlyMemory<byte> ticket, IAsyncEnumerable<NodeFrame> frames, CancellationToken cancellation)
    {
        var client = new Protocol.SessionStreams.SessionStreamsClient(_channels.To(endpoint));
        await using var call = new SessionCall(client.Attach(cancellationToken: cancellation), endpoint);
        await call.PresentAsync(ticket, cancellation).ConfigureAwait(false);
        await call.RelayAsync(frames, cancellation).ConfigureAwait(false);
    }

    public void Dispose() => _channels.Dispose();
}
