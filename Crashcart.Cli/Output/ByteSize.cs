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

    /// <summary><c>45.1 of 126 MB</c></summary>
    public static string Of(long part, long whole)
    {
        var (unit, divisor) = UnitOf(whole);
        return $"{Number(part, divisor)} of {Number(whole, divisor)} {Units[unit]}";
    }

    private static (int Unit, double Divisor) UnitOf(long bytes)
    {
        var (unit, divisor) = (0, 1.0);
        // What would be written as 1000 is written as 1 of the next.
        for (; bytes / divisor >= 999.5 && unit < Units.Length - 1; unit++)
            divisor *= 1000;
        return (unit, divisor);
    }

    private static string Number(long bytes, double divisor)
    {
        var value = bytes / divisor;
        return value.ToString(divisor == 1.0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.#" : "0.##", CultureInfo.InvariantCulture);
    }
}
