namespace Crashcart.Native.Tests.Hostile;

/// <summary>Tests that fill the host, or hold a process whose mounts nobody can read, run while no others do.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
