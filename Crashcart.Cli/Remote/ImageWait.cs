using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Remote;

/// <summary>
/// Tells the person which nodes still fetch the image of a run: on a terminal in a line that keeps up, elsewhere once for
/// each node.
/// </summary>
internal sealed class ImageWait(Action<string> tell, bool isTerminal)
{
    private readonly StatusLine _line = new(tell, isTerminal);
    private readonly Dictionary<string, (string Image, long Received, long Size)> _nodes = [];
    private readonly HashSet<string> _told = [];

    public static ImageWait OnStandardError() => new(StandardText.Error, UserTerminal.IsTerminal(2));

    /// <param name="node">The name of the node that fetches.</param>
    /// <param name="image">As people know it.</param>
    /// <param name="received">Bytes, of <paramref name="size"/>.</param>
    /// <param name="size">Bytes.</param>
    public void On(string node, string image, long received, long size)
    {
        _nodes[node] = (image, received, size);
        if (!isTerminal && _told.Add(node))
            tell($"crashcart: {SafeText.Of($"{node}: fetching image {image} ({ByteSize.Of(size)})")}.\n");
        _line.Show(Describe);
    }

    /// <summary>The node has the image, or there will be none: a session of it goes on.</summary>
    public void Done(string node)
    {
        if (_nodes.Remove(node))
            _line.Clear();
    }

    /// <summary>Makes room for other output.</summary>
    public void Clear() => _line.Clear();

    private string Describe() => _nodes.Count == 1
        ? string.Concat(_nodes.Select(node => $"{node.Key}: fetching image {node.Value.Image}, {Progress(node.Value)}"))
        : $"fetching image {_nodes.Values.First().Image}: {string.Join("; ", _nodes.Select(node => $"{node.Key} {Progress(node.Value)}"))}";

    private static string Progress((string Image, long Received, long Size) fetch) => ByteSize.Of(fetch.Received, fetch.Size);
}
