using System.Globalization;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Grammar;

/// <summary>Sizes and durations as people write them.</summary>
internal static class Quantities
{
    /// <summary>Bytes: a whole number and K, M, G or T (powers of 1024; <c>GiB</c> and <c>GB</c> mean the same).</summary>
    /// <exception cref="CrashcartException">Not a size, or none that fits.</exception>
    public static long Bytes(string option, string text)
    {
        var number = text.AsSpan().TrimEnd("KMGTkmgtiBb");
        var shift = text[number.Length..].ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            "T" or "TB" or "TIB" => 40,
            _ => -1,
        };
        return shift >= 0
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value > 0
            && value <= long.MaxValue >> shift
                ? value << shift
                : throw Wrong(option, text, "a size, like 512M or 1G");
    }

    /// <summary>A time: numbers with ms, s, m, h or d, largest first (<c>1m30s</c>); a bare number is seconds.</summary>
    /// <exception cref="CrashcartException">Not a time above zero.</exception>
    public static TimeSpan Duration(string option, string text)
    {
        var rest = text.AsSpan();
        var total = TimeSpan.Zero;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            var number = digits < 0 ? rest : rest[..digits];
            rest = rest[number.Length..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = letters < 0 ? rest : rest[..letters];
            rest = rest[unit.Length..];
            // Ten digits of days do not overflow what is added below, and nobody waits for longer.
            if (number.Length is 0 or > 7 || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                throw Wrong(option, text, "a time, like 90s or 1m30s");
            total += unit switch
            {
                "ms" => TimeSpan.FromMilliseconds(value),
                "s" or "" => TimeSpan.FromSeconds(value),
                "m" => TimeSpan.FromMinutes(value),
                "h" => TimeSpan.FromHours(value),
                "d" => TimeSpan.FromDays(value),
                _ => throw Wrong(option, text, "a time, like 90s or 1m30s"),
            };
        }

        return total > TimeSpan.Zero && total <= MaxDuration ? total : throw Wrong(option, text, "a time above zero and below 24 days, like 90s or 1m30s");
    }

    /// <summary>When, or how long ago, in milliseconds since 1970; 0 for nothing.</summary>
    /// <exception cref="CrashcartException">Not a time.</exception>
    public static long UnixTime(string option, string? text) => text switch
    {
        null => 0,
        _ when text.Contains('-', StringComparison.Ordinal) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at.ToUnixTimeMilliseconds()
            : throw Wrong(option, text, "a time like 2026-11-25T14:00:00Z, or how long ago, like 90s or 1h"),
        _ => (DateTimeOffset.UtcNow - Duration(option, text)).ToUnixTimeMilliseconds(),
    };

    /// <summary>A decimal number above zero.</summary>
    /// <exception cref="CrashcartException">It is not.</exception>
    public static double Factor(string option, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) && value is >= 0.001 and <= 1_000_000
            ? value
            : throw Wrong(option, text, "a number above zero, like 2 or 0.5");

    /// <summary>A whole number from 1.</summary>
    /// <exception cref="CrashcartException">It is not.</exception>
    public static uint Count(string option, string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0
            ? value
            : throw Wrong(option, text, "a whole number from 1");

    /// <summary>Processors, as a decimal number: the answer is in billionths of one.</summary>
    /// <exception cref="CrashcartException">It is no such number, or the kernel cannot limit by it.</exception>
    public static long NanoCpus(string option, string text) =>
        decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var cpus)
        && cpus is >= SessionLimits.LeastNanoCpus / NanoCpusEach and <= SessionLimits.MostNanoCpus / NanoCpusEach
            ? (long)(cpus * NanoCpusEach)
            : throw Wrong(option, text, "a number of processors from 0.01 to 8192, like 0.5 or 2");

    /// <summary>A whole number, or a percentage from 0 to 100.</summary>
    /// <exception cref="CrashcartException">It is neither.</exception>
    public static Share Share(string option, string text)
    {
        var isPercent = text.EndsWith('%');
        return uint.TryParse(isPercent ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && (!isPercent || value <= 100)
            ? new Share { Value = value, Percent = isPercent }
            : throw Wrong(option, text, "a whole number, or a percentage like 10%");
    }

    private const decimal NanoCpusEach = 1_000_000_000;

    // Timers count milliseconds in 31 bits.
    private static TimeSpan MaxDuration => TimeSpan.FromDays(24);

    private static CrashcartException Wrong(string option, string text, string expected) =>
        new(FailureReason.BadRequest, $"'{SafeText.Of(text)}' is no value for {option}: give {expected}.");
}
