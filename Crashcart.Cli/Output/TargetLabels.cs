using System.Globalization;
using System.Text;
using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>What stands before each line of a target: <c>NODE/CONTAINER  | </c>, aligned, in a colour of its own on a terminal.</summary>
internal sealed class TargetLabels(bool colourOutput, bool colourError)
{
    // Cyan, yellow, green, magenta, blue, red: readable on light and on dark.
    private static readonly int[] Colours = [36, 33, 32, 35, 34, 31];

    private readonly List<string> _names = [];
    private readonly List<(byte[] Plain, byte[] Coloured)> _labels = [];
    private int _width;

    /// <summary>Whether a standard descriptor takes colour: it is a terminal, and the person did not forbid it (no-color.org).</summary>
    public static bool IsColourful(int descriptor) =>
        UserTerminal.IsTerminal(descriptor)
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Targets are numbered from 0, in the order in which they were added. A longer name makes the later lines of all wider.</summary>
    public void Add(IEnumerable<string> names)
    {
        _names.AddRange(names);
        var width = _names.Select(name => name.Length).DefaultIfEmpty().Max();
        var kept = width == _width ? _labels.Count : 0;
        _width = width;
        _labels.RemoveRange(kept, _labels.Count - kept);
        for (var target = kept; target < _names.Count; target++)
            _labels.Add(LabelOf(target));
    }

    /// <param name="target">Its index in the run.</param>
    /// <param name="isError">For standard error.</param>
    /// <param name="isContinued">The line was broken off before; a <c>+</c> stands in the bar's place.</param>
    public ReadOnlySpan<byte> Prefix(int target, bool isError, bool isContinued)
    {
        var label = (isError ? colourError : colourOutput) ? _labels[target].Coloured : _labels[target].Plain;
        if (!isContinued)
            return label;
        var continued = label.ToArray();
        continued[continued.AsSpan().LastIndexOf((byte)'|')] = (byte)'+';
        return continued;
    }

    private (byte[] Plain, byte[] Coloured) LabelOf(int target)
    {
        var plain = Encoding.UTF8.GetBytes($"{_names[target].PadRight(_width)}  | ");
        var colour = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\e[{Colours[target % Colours.Length]}m"));
        return (plain, [.. colour, .. plain[..^1], .. "\e[0m "u8]);
    }
}
