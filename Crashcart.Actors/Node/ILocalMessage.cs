using Akka.Actor;

namespace Crashcart.Actors.Node;

/// <summary>Between actors of one node: it may carry a handle, and never crosses the wire.</summary>
internal interface ILocalMessage : INoSerializationVerificationNeeded;
