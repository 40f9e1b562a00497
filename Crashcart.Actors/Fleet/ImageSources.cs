using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>Which coordinator a node asks first for an image.</summary>
internal static class ImageSources
{
    /// <summary>The image with its sources in another order for each node, so that not all begin with the same.</summary>
    public static WantedImage? For(string node, WantedImage? image)
    {
        if (image is not { Sources.Count: > 1 })
            return image;
        int first = (int)((uint)StringComparer.Ordinal.GetHashCode(node) % (uint)image.Sources.Count);
        WantedImage turned = image.Clone();
        turned.Sources.Clear();
        turned.Sources.Add(image.Sources.Skip(first).Concat(image.Sources.Take(first)));
        return turned;
    }
}
