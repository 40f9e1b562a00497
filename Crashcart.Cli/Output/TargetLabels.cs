using System.Globalization;
using System.Text;
using Crashcart.Api;
using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>What stands before each line of a target: <c>NODE/CONTAINER  | </c>, aligned, in a colour of its own on a terminal.</summary>
internal sealed class TargetLabels
{
    // Cyan, yellow, green, magenta, blue, red: readable on light and on dark.
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 31];

    private readonly string[] _names;
    private readonly string[] _nodes;
    private readonly byte[][] _plain;
    private readonly byte[][] _coloured;
    private readonly bool _colourOutput;
    private readonly bool _colourError;

    public TargetLabels(IReadOnlyList<Container> targets, bool colourOutput, bool colourError)
    {
        _colourOutput = colourOutput;
        _colourError = colourError;
        _nodes = [.. targets.Select(target => target.Node)];
        _names = [.. targets.Select(NameOf)];
        var width = _names.Select(name => name.Length).DefaultIfEmpty().Max();
        _plain = [.. _names.Select(name => Encoding.UTF8.GetBytes($"{name.PadRight(width)}  | "))];
        _coloured = [.. _plain.Select((label, target) => (byte[])
        [
            .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\e[{Colours[target % Colours.Length]}m")),
            .. label[..^1],
            .. "\e[0m "u8,
        ])];
    }

    /// <summary>Whether a standard descriptor takes colour: it is a terminal, and the person did not forbid it (no-color.org).</summary>
    public static bool IsColourful(int descriptor) =>
        UserTerminal.IsTerminal(descriptor)
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>NODE/CONTAINER, as a person types it.</summary>
    public static string NameOf(Container container) =>
        SafeText.Of($"{container.Node}/{(container.Name.Length > 0 ? container.Name : container.Id[..Math.Min(12, container.Id.Length)])}");

    public string Name(int target) => _names[target];

    public string Node(int target) => _nodes[target];

    /// <param name="target">Its index in the run.</param>
    /// <param name="isError">For standard error.</param>
    /// <param name="isContinued">The line was broken off before; a <c>+</c> stands in the bar's place.</param>
    public ReadOnlySpan<byte> Prefix(int target, bool isError, bool isContinued)
    {
        var label = (isError ? _colourError : _colourOutput) ? _coloured[target] : _plain[target];
        if (!isContinued)
            return label;
        var continued = label.ToArray();
        continued[continued.AsSpan().LastIndexOf((byte)'|')] = (byte)'+';
        return continued;
    }
}
