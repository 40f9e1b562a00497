using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>A coordinator's signature, in a fleet that has an authority.</summary>
public interface IGrantSigner
{
    /// <summary>Good once, and for a short time from now on.</summary>
    /// <param name="grant">For which node, whose and what; the signer adds the rest.</param>
    Granted Sign(Grant grant);
}
