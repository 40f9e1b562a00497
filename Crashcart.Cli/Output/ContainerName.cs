using Crashcart.Api;
using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>What people call a container.</summary>
internal static class ContainerName
{
    /// <summary>NODE/CONTAINER, as a person types it; harmless to a terminal.</summary>
    public static string Of(Container container) => SafeText.Of($"{container.Node}/{Short(container)}");

    /// <summary>Its name, or the beginning of its id when it has none.</summary>
    public static string Short(Container container) =>
        container.Name.Length > 0 ? container.Name : container.Id[..Math.Min(12, container.Id.Length)];
}
