using System.Net.Sockets;

namespace Crashcart.Actors.Remoting;

/// <summary>
/// Connections that have not proved yet whose they are. There is room for so many; beyond, the oldest gives way: a member's handshake
/// takes milliseconds, so that a flood of silent connections keeps no member out.
/// </summary>
internal sealed class Handshakes : IDisposable
{
    private const int Room = 256;

    private readonly LinkedList<Place> _pending = [];
    private bool _over;

    /// <param name="socket">Is closed when its time is over.</param>
    public Place Begin(TimeSpan patience, Socket socket)
    {
        Place? oldest = null;
        Place place;
        lock (_pending)
        {
            place = new Place(this, patience, socket);
            if (_over)
                oldest = place;
            else if (_pending.Count >= Room)
                oldest = _pending.First!.Value;
            _pending.AddLast(place);
        }
        oldest?.End();
        return place;
    }

    public void Dispose()
    {
        List<Place> left;
        lock (_pending)
        {
            _over = true;
            left = [.. _pending];
        }
        left.ForEach(place => place.End());
    }

    /// <summary>One connection's; disposed when its handshake has ended, however.</summary>
    public sealed class Place : IDisposable
    {
        private readonly Handshakes _all;
        private readonly CancellationTokenSource _over;
        private readonly Socket _socket;

        internal Place(Handshakes all, TimeSpan patience, Socket socket)
        {
            _all = all;
            _over = new CancellationTokenSource(patience);
            _socket = socket;
        }

        public CancellationToken Over => _over.Token;

        internal void End()
        {
            lock (_all._pending)
                _all._pending.Remove(this);
            _socket.Dispose();
        }

        public void Dispose()
        {
            lock (_all._pending)
                _all._pending.Remove(this);
            _over.Dispose();
        }
    }
}
