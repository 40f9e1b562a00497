using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>Knows which requests a coordinator of the fleet granted to this node.</summary>
public interface IGrants
{
    OpenedGrant Open(Granted granted);
}

/// <param name="Request">What was asked for; null when that cannot be read. Not to be done unless there is no problem.</param>
/// <param name="Problem">Why it is not granted, a sentence; empty: it is.</param>
public sealed record OpenedGrant(IWireMessage? Request, string Problem);
