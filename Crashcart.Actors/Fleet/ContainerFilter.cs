namespace Crashcart.Actors.Fleet;

/// <summary>What a container must be besides what its labels say. Globs have * and ?; empty is any.</summary>
/// <param name="Name">A glob of its name.</param>
/// <param name="Image">A glob of the image that it was made of.</param>
/// <param name="Runtime">Its container runtime's name.</param>
public sealed record ContainerFilter(string Name = "", string Image = "", string Runtime = "")
{
    public static ContainerFilter Any { get; } = new();
}
