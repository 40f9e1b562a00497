using System.Buffers.Binary;

namespace Crashcart.Image;

/// <summary>
/// LD_PRELOAD, LD_LIBRARY_PATH, LD_AUDIT and the rest become CC_…: in ld.so(8), the two numbers in the loop that looks for
/// "LD_" at the start of each variable.
/// </summary>
internal static class LoaderVariables
{
    /// <returns>A changed copy.</returns>
    /// <exception cref="ImageBuildException">The loop is not there once.</exception>
    public static byte[] Rename(byte[] content, Architecture architecture)
    {
        var places = architecture == Architecture.Arm64 ? OnArm64(content) : OnAmd64(content);
        if (places.Count != 1)
            throw Bytes.Miscounted(("the test for LD_ variables in lib/ld.so", places.Count, 1));
        byte[] edited = [.. content];
        foreach (var at in (int[])[places[0].L, places[0].D])
        {
            if (architecture == Architecture.Arm64)
                BinaryPrimitives.WriteUInt32LittleEndian(edited.AsSpan(at), Compare(Word(edited, at), 'C'));
            else
                edited[at] = (byte)'C';
        }

        return edited;
    }

    /// <summary><c>cmp byte [reg], 'L'; jne …; cmp byte [reg+1], 'D'</c>: where the letters are.</summary>
    private static List<(int L, int D)> OnAmd64(byte[] content)
    {
        var places = new List<(int, int)>();
        for (var i = 0; i + 9 <= content.Length; i++)
        {
            var code = content.AsSpan(i, 9);
            if (code[0] == 0x80 && (code[1] & 0xf8) == 0x38 && code[2] == 'L' && code[3] == 0x75
                && code[5] == 0x80 && (code[6] & 0xf8) == 0x78 && code[7] == 1 && code[8] == 'D')
                places.Add((i + 2, i + 8));
        }

        return places;
    }

    /// <summary><c>cmp wN, #'L'</c>, soon after it <c>cmp wN, #'D'</c> and then <c>cmp wN, #'_'</c>: where the first two are.</summary>
    private static List<(int L, int D)> OnArm64(byte[] content)
    {
        const int soon = 14;
        var places = new List<(int, int)>();
        for (var i = 0; i + 4 <= content.Length; i += 4)
        {
            if (!Compares(Word(content, i), 'L'))
                continue;
            var next = Enumerable.Range(1, soon - 1).Select(k => i + (k * 4)).Where(at => at + 4 <= content.Length).ToList();
            var d = next.Where(at => Compares(Word(content, at), 'D')).Select(at => (int?)at).FirstOrDefault();
            if (d is { } second && next.Any(at => at > second && Compares(Word(content, at), '_')))
                places.Add((i, second));
        }

        return places;
    }

    private static uint Word(byte[] content, int at) => BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(at));

    /// <summary>SUBS (immediate) of 32 bits into the zero register: the number is in bits 10 to 21.</summary>
    private static bool Compares(uint word, char with) => (word & 0xfffffc1f) == (0x7100001f | ((uint)with << 10));

    private static uint Compare(uint word, char with) => (word & ~(0xfffu << 10)) | ((uint)with << 10);
}
