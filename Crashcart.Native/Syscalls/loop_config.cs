using static Crashcart.Native.Syscalls.Constants;

namespace Crashcart.Native.Syscalls;

/// <summary>struct loop_info64 of linux/loop.h</summary>
internal unsafe struct loop_info64
{
    public ulong lo_device;
    public ulong lo_inode;
    public ulong lo_rdevice;
    public ulong lo_offset;
    public ulong lo_sizelimit;
    public uint lo_number;
    public uint lo_encrypt_type;
    public uint lo_encrypt_key_size;
    public uint lo_flags;
    public fixed byte lo_file_name[LO_NAME_SIZE];
    public fixed byte lo_crypt_name[LO_NAME_SIZE];
    public fixed byte lo_encrypt_key[32];
    public fixed ulong lo_init[2];
}

/// <summary>struct loop_config of linux/loop.h</summary>
internal unsafe struct loop_config
{
    public uint fd;
    public uint block_size;
    public loop_info64 info;
    public fixed ulong __reserved[8];
}
