using System.Globalization;
using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// crashcart-enter, the C program that is the only one to enter a container. It is embedded here and run from a sealed
/// memfd, so that neither a file that somebody replaced nor a container that reaches /proc/PID/exe can change it.
/// </summary>
internal static class EnterProgram
{
    // Above every number that a descriptor has in the program, so that placing those overwrites nothing.
    private const int LeastNumber = 64;

    private static readonly Lazy<Descriptor> Image = new(CreateImage);

    /// <summary>Starts the program. Of this process's descriptors it gets these and no others.</summary>
    /// <param name="mode">exec, attach or detach.</param>
    /// <exception cref="SyscallException">It could not be started.</exception>
    public static EnterChild Start(string mode, EnterRequest request, Descriptor input, Descriptor output, Descriptor errors)
    {
        (EnterControl control, Descriptor theirs) = EnterControl.Create();
        FaultPoint.Arm(request, mode);
        using (theirs)
        using (Descriptor records = request.ToMemory())
        {
            Descriptor[] given = [input, output, errors, theirs, records, .. request.Descriptors];
            var placed = new List<Descriptor>(given.Length);
            try
            {
                foreach (Descriptor descriptor in given)
                    placed.Add(descriptor.Duplicate(LeastNumber));
                string program = "/proc/self/fd/" + Image.Value.Number.ToString(CultureInfo.InvariantCulture);
                return new EnterChild(PosixSpawn.Start(program, ["crashcart-enter", mode], placed), control);
            }
            catch
            {
                control.Dispose();
                throw;
            }
            finally
            {
                foreach (Descriptor descriptor in placed)
                    descriptor.Dispose();
            }
        }
    }

    private static unsafe Descriptor CreateImage()
    {
        // A resource is a part of the assembly in memory, and needs no copy on its way to the memfd.
        using var program = typeof(EnterProgram).Assembly.GetManifestResourceStream("crashcart-enter") as UnmanagedMemoryStream
            ?? throw new InvalidOperationException("The program crashcart-enter is not embedded in this build.");
        // Kernels before 6.3 do not know MFD_EXEC, and make every memfd executable.
        using Descriptor file = TryCreate(Constants.MFD_EXEC) ?? TryCreate(0) ?? throw new SyscallException("memfd_create", errno);
        file.Write(new ReadOnlySpan<byte>(program.PositionPointer, (int)program.Length));
        if (fcntl(file.Number, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
            throw new SyscallException("fcntl", errno, "F_ADD_SEALS");
        return file.Duplicate(LeastNumber);
    }

    private static unsafe Descriptor? TryCreate(uint flags)
    {
        fixed (byte* name = "crashcart-enter\0"u8)
        {
            int fd = memfd_create(name, (uint)(MFD_CLOEXEC | MFD_ALLOW_SEALING) | flags);
            return fd < 0 ? null : new Descriptor(fd);
        }
    }
}
