using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Which namespaces of a process are not those of this process, namespaces(7).</summary>
/// <param name="Different">CLONE_NEW* of each that differs, but never CLONE_NEWUSER.</param>
/// <param name="OwnUserNamespace">Whether its user namespace differs.</param>
internal readonly record struct Namespaces(int Different, bool OwnUserNamespace)
{
    private static readonly (string Name, int Flag)[] Kinds =
    [
        ("mnt", CLONE_NEWNS),
        ("uts", CLONE_NEWUTS),
        ("ipc", CLONE_NEWIPC),
        ("net", CLONE_NEWNET),
        ("pid", CLONE_NEWPID),
        ("cgroup", CLONE_NEWCGROUP),
        ("time", Constants.CLONE_NEWTIME),
    ];

    /// <param name="process">An open /proc/PID.</param>
    /// <returns>Null, with errno set, when the process is gone or not ours to look at.</returns>
    public static Namespaces? Of(Descriptor process)
    {
        using Descriptor own = Descriptor.Open("/proc/self", O_PATH | O_DIRECTORY);
        if (FileIdentity.At(process, "ns/user") is not { } user)
            return null;
        int different = 0;
        foreach ((string name, int flag) in Kinds)
        {
            // A kernel without this kind of namespace has it for neither.
            if (FileIdentity.At(own, "ns/" + name) is not { } ours)
                continue;
            if (FileIdentity.At(process, "ns/" + name) is not { } theirs)
                return null;
            if (ours != theirs)
                different |= flag;
        }
        return new Namespaces(different, user != FileIdentity.At(own, "ns/user"));
    }

    /// <summary>Whether the process sees the mounts of this process, or those of the host's first process.</summary>
    public static bool SharesHostMounts(Descriptor process)
    {
        FileIdentity? mounts = FileIdentity.At(process, "ns/mnt");
        return mounts is not null && (mounts == FileIdentity.Of("/proc/self/ns/mnt") || mounts == FileIdentity.Of("/proc/1/ns/mnt"));
    }
}
