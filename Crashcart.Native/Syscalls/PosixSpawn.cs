using Tmds.Linux;
using static Crashcart.Native.Syscalls.Calls;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native.Syscalls;

/// <summary>Starts a program with an exact list of descriptors, posix_spawn(3).</summary>
internal static unsafe class PosixSpawn
{
    // posix_spawn_file_actions_t and posix_spawnattr_t are 80 and 336 bytes in glibc, on both architectures.
    internal const int ActionsSize = 256;
    internal const int AttributesSize = 512;

    /// <summary>
    /// The program gets <paramref name="descriptors"/> as 0, 1, 2 and so on, an empty environment, a session of its own, and
    /// signals as they are at first: none blocked, none ignored. .NET ignores SIGPIPE, and a tool would inherit that.
    /// </summary>
    /// <param name="descriptors">Each numbered higher than the list is long, so that placing one cannot overwrite another.</param>
    /// <exception cref="SyscallException">The program could not be started; nothing is left of the attempt.</exception>
    public static int Start(string path, IReadOnlyList<string> arguments, IReadOnlyList<Descriptor> descriptors)
    {
        byte* actions = stackalloc byte[ActionsSize];
        byte* attributes = stackalloc byte[AttributesSize];
        Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
        try
        {
            Check(posix_spawnattr_init(attributes), "posix_spawnattr_init");
            try
            {
                for (int i = 0; i < descriptors.Count; i++)
                    Check(posix_spawn_file_actions_adddup2(actions, descriptors[i].Number, i), "posix_spawn_file_actions_adddup2");
                SetSignals(attributes);
                return Start(path, arguments, actions, attributes);
            }
            finally
            {
                _ = posix_spawnattr_destroy(attributes);
            }
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            GC.KeepAlive(descriptors);
        }
    }

    private static void SetSignals(byte* attributes)
    {
        sigset_t all, none;
        _ = sigfillset(&all);
        _ = sigemptyset(&none);
        Check(posix_spawnattr_setsigdefault(attributes, &all), "posix_spawnattr_setsigdefault");
        Check(posix_spawnattr_setsigmask(attributes, &none), "posix_spawnattr_setsigmask");
        const short Flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID;
        Check(posix_spawnattr_setflags(attributes, Flags), "posix_spawnattr_setflags");
    }

    private static int Start(string path, IReadOnlyList<string> arguments, byte* actions, byte* attributes)
    {
        byte[] strings = [.. arguments.SelectMany(Descriptor.CString)];
        byte** argv = stackalloc byte*[arguments.Count + 1];
        byte** envp = stackalloc byte*[1];
        envp[0] = null;
        fixed (byte* name = Descriptor.CString(path))
        fixed (byte* text = strings)
        {
            byte* at = text;
            for (int i = 0; i < arguments.Count; i++)
            {
                argv[i] = at;
                at += Descriptor.CString(arguments[i]).Length;
            }
            argv[arguments.Count] = null;
            int pid;
            Check(posix_spawn(&pid, name, actions, attributes, argv, envp), "posix_spawn", path);
            return pid;
        }
    }

    private static void Check(int error, string call, string arguments = "")
    {
        if (error != 0)
            throw new SyscallException(call, error, arguments);
    }
}
