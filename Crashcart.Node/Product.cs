using System.Reflection;

namespace Crashcart.Node;

/// <summary>What this program is.</summary>
public static class Product
{
    /// <summary>The version that every part of a release shows, such as 0.1.0.</summary>
    public static string Version { get; } =
        typeof(Product).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
}
