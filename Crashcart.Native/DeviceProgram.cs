using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>A BPF program that says which devices the processes of a v2 cgroup may open: bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE.</summary>
internal sealed unsafe class DeviceProgram : IDisposable
{
    private const int MostPrograms = 1024;

    private readonly Descriptor _program;

    private DeviceProgram(Descriptor program) => _program = program;

    /// <summary>A program that allows what one of the rules names, and nothing else.</summary>
    /// <exception cref="SyscallException">The kernel does not take it.</exception>
    public static DeviceProgram Load(IEnumerable<DeviceRule> rules)
    {
        ulong[] code = DeviceCode.Of(rules);
        fixed (ulong* instructions = code)
        fixed (byte* license = "Apache-2.0\0"u8)
        {
            var load = new bpf_attr
            {
                prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                insns = (ulong)instructions,
                insn_cnt = (uint)code.Length,
                license = (ulong)license,
            };
            return new DeviceProgram(Open(BPF_PROG_LOAD, load));
        }
    }

    /// <summary>The programs that decide for a v2 cgroup, its own and its parents'.</summary>
    /// <param name="cgroup">Its directory.</param>
    /// <exception cref="SyscallException">The cgroup is gone, or its programs are not ours to see.</exception>
    public static IReadOnlyList<DeviceProgram> EffectiveOn(string cgroup)
    {
        using Descriptor directory = Descriptor.Open(cgroup, O_RDONLY | O_DIRECTORY);
        uint* ids = stackalloc uint[MostPrograms];
        var query = new bpf_attr
        {
            target_fd = (uint)directory.Number,
            query_attach_type = BPF_CGROUP_DEVICE,
            query_flags = BPF_F_QUERY_EFFECTIVE,
            query_prog_ids = (ulong)ids,
            query_prog_cnt = MostPrograms,
        };
        if (Calls.bpf(BPF_PROG_QUERY, &query) != 0)
        {
            int error = errno;
            // A kernel without such programs.
            return error == EINVAL ? [] : throw new SyscallException("bpf", error, $"BPF_PROG_QUERY, {cgroup}");
        }
        var programs = new List<DeviceProgram>();
        try
        {
            for (int i = 0; i < query.query_prog_cnt; i++)
                programs.Add(new DeviceProgram(Open(BPF_PROG_GET_FD_BY_ID, new bpf_attr { prog_id = ids[i] })));
            return programs;
        }
        catch
        {
            programs.ForEach(program => program.Dispose());
            throw;
        }
    }

    /// <summary>From now on the program decides for the v2 cgroup too; it stays as long as the cgroup does.</summary>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public void Attach(string cgroup)
    {
        using Descriptor directory = Descriptor.Open(cgroup, O_RDONLY | O_DIRECTORY);
        var attach = new bpf_attr
        {
            target_fd = (uint)directory.Number,
            attach_bpf_fd = (uint)_program.Number,
            attach_type = BPF_CGROUP_DEVICE,
            attach_flags = BPF_F_ALLOW_MULTI,
        };
        if (Calls.bpf(BPF_PROG_ATTACH, &attach) != 0)
            throw new SyscallException("bpf", errno, $"BPF_PROG_ATTACH, {cgroup}");
    }

    public void Dispose() => _program.Dispose();

    private static Descriptor Open(int command, bpf_attr attributes)
    {
        int fd = Calls.bpf(command, &attributes);
        return fd < 0 ? throw new SyscallException("bpf", errno, $"command {command}") : new Descriptor(fd);
    }
}
