using System.Runtime.InteropServices;

namespace Crashcart.Native.Syscalls;

/// <summary>What is needed of union bpf_attr, linux/bpf.h: its members by the command that they are for.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct @bpf_attr
{
    // BPF_PROG_LOAD
    [FieldOffset(0)] public uint prog_type;
    [FieldOffset(4)] public uint insn_cnt;
    [FieldOffset(8)] public ulong insns;
    [FieldOffset(16)] public ulong license;

    // BPF_PROG_ATTACH
    [FieldOffset(0)] public uint target_fd;
    [FieldOffset(4)] public uint attach_bpf_fd;
    [FieldOffset(8)] public uint attach_type;
    [FieldOffset(12)] public uint attach_flags;

    // BPF_PROG_QUERY
    [FieldOffset(0)] public uint query_target_fd;
    [FieldOffset(4)] public uint query_attach_type;
    [FieldOffset(8)] public uint query_flags;
    [FieldOffset(16)] public ulong query_prog_ids;
    [FieldOffset(24)] public uint query_prog_cnt;

    // BPF_PROG_GET_FD_BY_ID
    [FieldOffset(0)] public uint prog_id;
}
