using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>Believes what it is sent, unless the spec has a problem with it.</summary>
internal sealed class ScriptedGrants : IGrants
{
    public string Problem { get; set; } = "";

    public static Granted Of(IWireMessage request) => new() { Grant = Grant.Of(request).ToByteString() };

    public OpenedGrant Open(Granted granted) => new(Grant.Parser.ParseFrom(granted.Grant).Request, Problem);
}
