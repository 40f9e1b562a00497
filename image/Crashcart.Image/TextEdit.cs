using System.Text;

namespace Crashcart.Image;

/// <summary>One string constant of a program, replaced by a string that is not longer.</summary>
/// <param name="File">The program or library, or a pattern of them.</param>
/// <param name="Variants">What releases have in its place: one of them must be there, and no other.</param>
/// <param name="Architecture">Debian's name of the only one that has it; null is all.</param>
public sealed record TextEdit(string File, IReadOnlyList<TextVariant> Variants, string? Architecture = null)
{
    public TextEdit(string file, string from, string to, int count)
        : this(file, [new(from, to, count)])
    {
    }

    /// <summary>Whether some releases have none of the variants.</summary>
    public bool Optional { get; init; }

    /// <summary>Only whole constants, between NULs, count.</summary>
    /// <returns>A changed copy, or the same array when there was nothing to change.</returns>
    /// <exception cref="ImageBuildException">This version of the file has none of the variants, or more than one.</exception>
    internal byte[] Apply(byte[] content)
    {
        var found = Variants.Select(v => (Variant: v, Places: Bytes.Occurrences(content, Constant(v.From)))).ToList();
        if (Optional && found.TrueForAll(f => f.Places.Count == 0))
            return content;
        var right = found.Where(f => f.Places.Count == f.Variant.Count).ToList();
        if (right.Count != 1 || found.Exists(f => f.Places.Count > 0 && f.Variant.From != right[0].Variant.From))
            throw Bytes.Miscounted([.. found.Select(f => ($"the text '{f.Variant.From}' in {File}", f.Places.Count, f.Variant.Count))]);
        var (variant, places) = right[0];
        var to = new byte[Constant(variant.From).Length];
        Encoding.UTF8.GetBytes(variant.To, to.AsSpan(1));
        return Bytes.Overwrite(content, places, to);
    }

    private static byte[] Constant(string text) => Encoding.UTF8.GetBytes($"\0{text}\0");
}

/// <param name="From">The whole constant, without its terminating NUL.</param>
/// <param name="To">Its replacement; the rest is filled with NULs.</param>
/// <param name="Count">How often the constant must occur: another count stops the build.</param>
public sealed record TextVariant(string From, string To, int Count);
