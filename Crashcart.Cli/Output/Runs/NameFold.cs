using System.Globalization;
using System.Text;

namespace Crashcart.Cli.Output.Runs;

/// <summary>Many names in few words, as ClusterShell writes them: <c>web-[1-40]</c>, <c>n[1-2]/web-[01-12]</c>.</summary>
internal static class NameFold
{
    public static string Of(IEnumerable<string> names) => string.Join(
        ',',
        names.Distinct().Select(Pattern.Parse).GroupBy(pattern => string.Join('\0', pattern.Texts), StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .SelectMany(group => Aligned([.. group]))
            .GroupBy(pattern => pattern.Skeleton, StringComparer.Ordinal)
            .SelectMany(group => Fold([.. group]))
            .Select(pattern => pattern.ToString()));

    /// <summary>Among numbers of two digits with a leading zero, one without is of the same kind: 09 is followed by 10.</summary>
    private static IEnumerable<Pattern> Aligned(List<Pattern> patterns)
    {
        var widths = patterns.SelectMany(pattern => pattern.Fields.Index()).Where(entry => entry.Item.Width > 0)
            .Select(entry => (entry.Index, entry.Item.Width)).ToHashSet();
        return patterns.Select(pattern => pattern with
        {
            Fields = [.. pattern.Fields.Index().Select(entry =>
                widths.Contains((entry.Index, entry.Item.Digits)) ? entry.Item with { Width = entry.Item.Digits } : entry.Item)],
        });
    }

    private static List<Pattern> Fold(List<Pattern> patterns)
    {
        // The last number first: containers are numbered on each host, and hosts have most containers in common.
        for (var field = patterns[0].Fields.Length - 1; field >= 0; field--)
        {
            patterns = [.. patterns
                .GroupBy(pattern => pattern.Without(field), StringComparer.Ordinal)
                .Select(group => group.Aggregate((one, other) => one.With(field, other)))];
        }

        return patterns;
    }

    /// <summary>A name whose numbers are sets of numbers.</summary>
    /// <param name="Texts">What stands before, between and behind the numbers.</param>
    /// <param name="Fields">The sets; numbers with leading zeros are apart from those without.</param>
    private sealed record Pattern(string[] Texts, Field[] Fields)
    {
        public string Skeleton => string.Join('\0', Texts) + string.Join(',', Fields.Select(numbers => numbers.Width));

        public static Pattern Parse(string name)
        {
            var texts = new List<string>();
            var fields = new List<Field>();
            var start = 0;
            for (var i = 0; i < name.Length;)
            {
                var end = i;
                while (end < name.Length && char.IsAsciiDigit(name[end]))
                    end++;
                // A hash has digits too, and some are long; nobody counts that far.
                if (end == i || end - i > 9)
                {
                    i = Math.Max(end, i + 1);
                    continue;
                }

                texts.Add(name[start..i]);
                fields.Add(Field.Parse(name[i..end]));
                (start, i) = (end, end);
            }

            texts.Add(name[start..]);
            return new Pattern([.. texts], [.. fields]);
        }

        public string Without(int field) => string.Join('\0', Fields.Index().Where(entry => entry.Index != field).Select(entry => entry.Item.ToString()));

        public Pattern With(int field, Pattern other) =>
            this with { Fields = [.. Fields.Select((own, i) => i == field ? own with { Numbers = [.. own.Numbers, .. other.Fields[i].Numbers] } : own)] };

        public override string ToString()
        {
            var name = new StringBuilder(Texts[0]);
            for (var i = 0; i < Fields.Length; i++)
                name.Append(Fields[i]).Append(Texts[i + 1]);
            return name.ToString();
        }
    }

    /// <param name="Width">Of numbers that are filled up with zeros; 0 for others.</param>
    /// <param name="Digits">Of the number that the field was made of.</param>
    private sealed record Field(int Width, int Digits, SortedSet<int> Numbers)
    {
        public static Field Parse(string digits) =>
            new(digits is ['0', _, ..] ? digits.Length : 0, digits.Length, [int.Parse(digits, CultureInfo.InvariantCulture)]);

        public override string ToString()
        {
            if (Numbers.Count == 1)
                return Number(Numbers.Min);
            var ranges = new List<string>();
            int? first = null;
            foreach (var number in Numbers)
            {
                first ??= number;
                if (Numbers.Contains(number + 1))
                    continue;
                ranges.Add(first == number ? Number(number) : $"{Number(first.Value)}-{Number(number)}");
                first = null;
            }

            return $"[{string.Join(',', ranges)}]";
        }

        private string Number(int number) => number.ToString(CultureInfo.InvariantCulture).PadLeft(Width, '0');
    }
}
