using System.Globalization;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>A group of this host, group(5).</summary>
public static class UnixGroup
{
    /// <summary>The group's number, or null when /etc/group has no such name.</summary>
    public static uint? Find(string name)
    {
        foreach (string line in File.ReadLines("/etc/group"))
        {
            string[] fields = line.Split(':');
            if (fields.Length >= 3 && fields[0] == name && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
                return id;
        }
        return null;
    }

    /// <summary>Gives a file to the group; its owner stays. A symbolic link is not followed.</summary>
    /// <exception cref="SyscallException">lchown(2) failed.</exception>
    public static unsafe void Give(string path, uint group)
    {
        fixed (byte* p = Descriptor.CString(path))
        {
            if (lchown(p, unchecked((uint)-1), group) != 0)
                throw new SyscallException("lchown", errno, path);
        }
    }
}
