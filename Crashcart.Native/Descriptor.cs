using System.Text;
using Microsoft.Win32.SafeHandles;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>A file descriptor that is closed once. All are close-on-exec.</summary>
internal sealed unsafe class Descriptor : SafeHandleMinusOneIsInvalid
{
    public Descriptor(int number)
        : base(ownsHandle: true) => SetHandle(number);

    /// <summary>The bare number, for a call in the scope of a <c>using</c> of this; elsewhere <see cref="Borrow"/>.</summary>
    public int Number => (int)handle;

    /// <summary>Opens a path; never a controlling terminal.</summary>
    /// <exception cref="SyscallException">open(2) failed.</exception>
    public static Descriptor Open(string path, int flags) => TryOpen(path, flags) ?? throw new SyscallException("open", errno, path);

    /// <summary>As <see cref="Open"/>; null, with errno set, when open(2) failed.</summary>
    public static Descriptor? TryOpen(string path, int flags, ushort mode = 0)
    {
        fixed (byte* p = CString(path))
        {
            int fd;
            do
            {
                fd = open(p, flags | O_CLOEXEC | O_NOCTTY, mode);
            }
            while (fd < 0 && errno == EINTR);
            return fd < 0 ? null : new Descriptor(fd);
        }
    }

    /// <summary>Opens a name below this directory; null, with errno set, when openat(2) failed.</summary>
    public Descriptor? TryOpenAt(string name, int flags)
    {
        using Borrowed directory = Borrow();
        fixed (byte* p = CString(name))
        {
            int fd = openat(directory.Number, p, flags | O_CLOEXEC | O_NOCTTY, 0);
            return fd < 0 ? null : new Descriptor(fd);
        }
    }

    /// <summary>A second descriptor of the same open file, numbered <paramref name="least"/> or higher.</summary>
    public Descriptor Duplicate(int least = 3)
    {
        using Borrowed original = Borrow();
        return Duplicate(original.Number, least) ?? throw new SyscallException("fcntl", errno, "F_DUPFD_CLOEXEC");
    }

    /// <summary>Duplicates a number that is not ours to own, such as standard output; null when it is closed.</summary>
    public static Descriptor? Duplicate(int number, int least)
    {
        int fd = fcntl(number, F_DUPFD_CLOEXEC, least);
        return fd < 0 ? null : new Descriptor(fd);
    }

    /// <summary>The two ends of a new pipe, both blocking.</summary>
    /// <exception cref="SyscallException">pipe2(2) failed.</exception>
    public static (Descriptor Reader, Descriptor Writer) Pipe()
    {
        int* ends = stackalloc int[2];
        return pipe2(ends, O_CLOEXEC) != 0
            ? throw new SyscallException("pipe2", errno)
            : (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    /// <summary>Gives a pipe room for so many bytes, where its owner has any left: fcntl(2), F_SETPIPE_SZ.</summary>
    public void TryEnlargePipe(int bytes)
    {
        using Borrowed pipe = Borrow();
        _ = fcntl(pipe.Number, F_SETPIPE_SZ, bytes);
    }

    /// <summary>Reads from the file's current offset to its end; null when it has more bytes than that.</summary>
    /// <exception cref="SyscallException">read(2) failed.</exception>
    public byte[]? ReadToEnd(int longest)
    {
        using Borrowed file = Borrow();
        byte[] data = new byte[4096];
        int length = 0;
        while (true)
        {
            if (length == data.Length)
                Array.Resize(ref data, length * 2);
            int n;
            fixed (byte* p = data)
                n = (int)read(file.Number, p + length, data.Length - length);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                throw new SyscallException("read", errno);
            if (n == 0)
                return data.AsSpan(0, length).ToArray();
            length += n;
            if (length > longest)
                return null;
        }
    }

    /// <summary>Writes all of it.</summary>
    /// <exception cref="SyscallException">write(2) failed.</exception>
    public void Write(ReadOnlySpan<byte> data)
    {
        using Borrowed file = Borrow();
        while (data.Length > 0)
        {
            int n;
            fixed (byte* p = data)
                n = (int)write(file.Number, p, data.Length);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                throw new SyscallException("write", errno);
            data = data[n..];
        }
    }

    public void SetNonBlocking()
    {
        using Borrowed file = Borrow();
        int flags = fcntl(file.Number, F_GETFL);
        if (flags < 0 || fcntl(file.Number, F_SETFL, flags | O_NONBLOCK) < 0)
            throw new SyscallException("fcntl", errno, "F_SETFL, O_NONBLOCK");
    }

    /// <summary>The number for as long as the result lives, even when another thread disposes this meanwhile.</summary>
    public Borrowed Borrow() => new(this);

    /// <summary>A NUL-terminated copy, as calls want their paths.</summary>
    public static byte[] CString(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    protected override bool ReleaseHandle() => close((int)handle) == 0;

    /// <summary>Keeps a descriptor open.</summary>
    public readonly ref struct Borrowed
    {
        private readonly Descriptor _descriptor;

        public Borrowed(Descriptor descriptor)
        {
            bool added = false;
            descriptor.DangerousAddRef(ref added);
            _descriptor = descriptor;
        }

        public int Number => _descriptor.Number;

        public void Dispose() => _descriptor.DangerousRelease();
    }
}
