using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>The three standard streams of a tool: the ends that it gets, and ours.</summary>
internal sealed class ToolPipes : IDisposable
{
    /// <summary>A tool writes on while what it wrote is sent; the kernel's 64 KiB are full before the reader is awake.</summary>
    private const int OutputCapacity = 256 * 1024;

    private ToolPipes()
    {
    }

    public required Descriptor Input { get; init; }

    public required Descriptor Output { get; init; }

    public required Descriptor Errors { get; init; }

    public Stream? StandardInput { get; private set; }

    public Stream? StandardOutput { get; private set; }

    public Stream? StandardError { get; private set; }

    /// <exception cref="SyscallException">No more descriptors.</exception>
    public static ToolPipes Open(ToolStreams streams)
    {
        if (streams == ToolStreams.Inherit)
            return new ToolPipes { Input = Inherit(0), Output = Inherit(1), Errors = Inherit(2) };
        if (streams == ToolStreams.Terminal)
            return new ToolPipes { Input = Null(), Output = Null(), Errors = Null() };
        (Descriptor Reader, Descriptor Writer)? input = streams == ToolStreams.Pipes ? Descriptor.Pipe() : null;
        (Descriptor Reader, Descriptor Writer) output = Descriptor.Pipe(), errors = Descriptor.Pipe();
        output.Reader.TryEnlargePipe(OutputCapacity);
        return new ToolPipes { Input = input?.Reader ?? Null(), Output = output.Writer, Errors = errors.Writer }
            .Attach(input?.Writer, output.Reader, errors.Reader);
    }

    /// <summary>Closes the tool's ends here, so that the streams end when the tool's own copies are closed.</summary>
    public void CloseTheirs()
    {
        Input.Dispose();
        Output.Dispose();
        Errors.Dispose();
    }

    /// <summary>Closes both sides: nobody took the streams.</summary>
    public void Dispose()
    {
        CloseTheirs();
        StandardInput?.Dispose();
        StandardOutput?.Dispose();
        StandardError?.Dispose();
    }

    private ToolPipes Attach(Descriptor? input, Descriptor output, Descriptor errors)
    {
        StandardInput = input is null ? null : new DescriptorStream(input, FileAccess.Write);
        StandardOutput = new DescriptorStream(output, FileAccess.Read);
        StandardError = new DescriptorStream(errors, FileAccess.Read);
        return this;
    }

    // A stream that is closed here is empty there, and not the next file that happens to get its number.
    private static Descriptor Inherit(int number) => Descriptor.Duplicate(number, 3) ?? Null();

    private static Descriptor Null() => Descriptor.Open("/dev/null", O_RDWR);
}
