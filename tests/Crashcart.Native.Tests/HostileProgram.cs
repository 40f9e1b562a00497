namespace Crashcart.Native.Tests;

/// <summary>The C programs of the tests, which a container runs.</summary>
internal static class HostileProgram
{
    /// <param name="name">Of the source in Hostile/, without <c>.c</c>.</param>
    /// <param name="path">Of the static program.</param>
    public static void Compile(string name, string path) =>
        Shell.Run("cc", "-static", "-O1", "-o", path, Path.Combine(AppContext.BaseDirectory, "Hostile", $"{name}.c"));
}
