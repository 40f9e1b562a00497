namespace Crashcart.Native.Tests;

/// <summary>
/// For tests of what the whole host shares, which run when no other does: a survey of one sees, and releases, what another has left on
/// purpose, and a program that one starts has, until it is executed, the descriptors of the others.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TheHost
{
    public const string Name = "the host";
}
