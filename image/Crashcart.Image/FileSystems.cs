namespace Crashcart.Image;

/// <summary>The file systems that an image can be, by the kernel's names.</summary>
public static class FileSystems
{
    public const string Erofs = "erofs";

    public static readonly IReadOnlyList<string> Names = [Erofs];
}
