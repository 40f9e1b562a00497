using System.Globalization;

namespace Crashcart.Cli.Output;

/// <summary>Sizes for people: three digits and a unit of a power of 1000, as disks and docker(1) have them.</summary>
internal static class ByteSize
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary><c>126 MB</c></summary>
    public static string Of(long bytes)
    {
        var (unit, divisor) = UnitOf(bytes);
        return $"{Number(bytes, divisor)} {Units[unit]}";
    }

    /// <summary><c>45.0 of 126 MB</c>: always three digits, so that a line that is written over and over stands still.</summary>
    public static string Of(long part, long whole)
    {
        var (unit, divisor) = UnitOf(whole);
        return $"{Number(part, divisor, decimals: '0')} of {Number(whole, divisor)} {Units[unit]}";
    }

    private static (int Unit, double Divisor) UnitOf(long bytes)
    {
        var (unit, divisor) = (0, 1.0);
        // What would be written as 1000 is written as 1 of the next.
        for (; bytes / divisor >= 999.5 && unit < Units.Length - 1; unit++)
            divisor *= 1000;
        return (unit, divisor);
    }

    private static string Number(long bytes, double divisor, char decimals = '#')
    {
        var value = bytes / divisor;
        var format = divisor == 1.0 || value >= 99.95 ? "0" : value >= 9.995 ? $"0.{decimals}" : $"0.{decimals}{decimals}";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }
}
