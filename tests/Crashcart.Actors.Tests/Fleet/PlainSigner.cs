using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>Puts grants in their envelopes, and signs nothing.</summary>
internal sealed class PlainSigner : IGrantSigner
{
    public Granted Sign(Grant grant) => new() { Grant = grant.ToByteString() };
}
