using System.Globalization;

namespace Crashcart.Native;

/// <summary>uid_map or gid_map of a process, user_namespaces(7).</summary>
internal static class IdMap
{
    /// <summary>The id, as this process counts it, of root in the user namespace; of its first id when it has no root.</summary>
    public static uint OwnerOf(string map)
    {
        uint? first = null;
        foreach (string line in map.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            uint inside = uint.Parse(fields[0], CultureInfo.InvariantCulture);
            uint outside = uint.Parse(fields[1], CultureInfo.InvariantCulture);
            if (inside == 0)
                return outside;
            first ??= outside;
        }
        return first ?? 0;
    }
}
