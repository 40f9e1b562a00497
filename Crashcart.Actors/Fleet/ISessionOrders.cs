using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What a run wants of the nodes of its targets, and how it tells people that it did not get it.</summary>
internal interface ISessionOrders
{
    /// <summary>The session of the target with that number; each has one.</summary>
    SessionId SessionOf(int target);

    /// <summary>The streams of the sessions are opened here; else the nodes keep what they would carry.</summary>
    bool AreStreamed { get; }

    /// <summary>Why the target is none any more, a sentence; null: it still is one.</summary>
    string? Obstacle(RunTarget where);

    /// <summary>The request to the target's node.</summary>
    /// <param name="targets">How many the run has had so far.</param>
    /// <param name="ticket">From now on, who has it speaks for the session.</param>
    IWireMessage Begin(int target, RunTarget where, int targets, StreamTicket ticket);

    /// <summary>The start of a tool as the node takes it.</summary>
    IWireMessage Grant(RunTarget where, StartSession start);

    /// <summary>Takes it back; null where the end of the stream does that.</summary>
    /// <param name="reason">One sentence for whoever reads of the session; may be empty.</param>
    IWireMessage? End(int target, string reason);

    /// <summary>The node did nothing for so long.</summary>
    string Late(string node, TimeSpan patience);

    /// <summary>The stream broke before its end.</summary>
    string Broke(string node);

    /// <summary>The node left the cluster before the stream's end.</summary>
    string Lost(string node);
}
