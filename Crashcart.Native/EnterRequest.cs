using System.Globalization;
using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>What crashcart-enter is to do: NUL-terminated <c>key=value</c> records, and the descriptors that they number.</summary>
internal sealed class EnterRequest
{
    // After the three streams, the control socket and the request itself.
    private const int FirstNumber = 5;

    private readonly StringBuilder _records = new();
    private readonly List<Descriptor> _descriptors = [];

    /// <param name="target">Whose namespaces are joined.</param>
    public EnterRequest(TargetProcess target)
    {
        Add("pidfd", target.PidFd);
        Add("root", target.Root);
        Add("ns", target.Namespaces.Different.ToString("x", CultureInfo.InvariantCulture));
        Add("owner", string.Create(CultureInfo.InvariantCulture, $"{target.OwnerUid}:{target.OwnerGid}"));
    }

    public IReadOnlyList<Descriptor> Descriptors => _descriptors;

    public void Add(string key, string value) => _records.Append(key).Append('=').Append(value).Append('\0');

    public void Add(string key, int value) => Add(key, value.ToString(CultureInfo.InvariantCulture));

    public void Add(string key, bool value) => Add(key, value ? "1" : "0");

    /// <param name="descriptor">The caller's to keep open until the program is started, and to dispose of.</param>
    public void Add(string key, Descriptor descriptor)
    {
        Add(key, FirstNumber + _descriptors.Count);
        _descriptors.Add(descriptor);
    }

    /// <summary>The records in a memfd, to be read from its start.</summary>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public unsafe Descriptor ToMemory()
    {
        fixed (byte* name = "crashcart-request\0"u8)
        {
            int fd = memfd_create(name, (uint)MFD_CLOEXEC);
            var memory = fd < 0 ? throw new SyscallException("memfd_create", errno) : new Descriptor(fd);
            memory.Write(Encoding.UTF8.GetBytes(_records.ToString()));
            return lseek(fd, 0, SEEK_SET) < 0 ? throw new SyscallException("lseek", errno) : memory;
        }
    }
}
