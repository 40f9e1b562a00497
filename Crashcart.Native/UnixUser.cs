using System.Globalization;

namespace Crashcart.Native;

/// <summary>A user of this host, passwd(5).</summary>
public static class UnixUser
{
    /// <summary>The user's name, or null when /etc/passwd has no such number.</summary>
    public static string? NameOf(uint user) => File.Exists("/etc/passwd")
        ? File.ReadLines("/etc/passwd")
            .Select(line => line.Split(':'))
            .FirstOrDefault(fields => fields.Length >= 3 && fields[2] == user.ToString(CultureInfo.InvariantCulture))?[0]
        : null;
}
