using System.Globalization;
using System.Text;

namespace Crashcart.Cli.Output.Runs;

/// <summary>Files that are named after hosts and containers.</summary>
internal static class TargetFileName
{
    /// <summary>A name that stays in its directory and shows in listings, whatever the container is called.</summary>
    public static string Of(string name)
    {
        var safe = new StringBuilder(name.Length);
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'_' or (byte)'-' || (b == (byte)'.' && safe.Length > 0))
                safe.Append((char)b);
            else
                safe.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return safe.ToString();
    }
}
