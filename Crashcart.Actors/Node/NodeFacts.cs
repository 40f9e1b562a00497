namespace Crashcart.Actors.Node;

/// <summary>What does not change about a node while it runs.</summary>
public sealed record NodeFacts(string Name, string Version, string Kernel, string Architecture);
