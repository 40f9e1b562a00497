namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Places that differ in what the kernel lets a tool do.</summary>
internal static class Where
{
    public static bool DockerExec(UsePlace place) => place.Road == Road.DockerExec;

    public static bool Musl(UsePlace place) => place.Kind == ContainerKind.Musl;

    public static bool UserNamespace(UsePlace place) => place.Kind.Remapped;
}
