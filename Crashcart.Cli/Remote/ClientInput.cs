using Crashcart.Api;
using Crashcart.Native;
using Google.Protobuf;

namespace Crashcart.Cli.Remote;

/// <summary>Standard input of crashcart on its way to a run's tools, to its end.</summary>
internal static class ClientInput
{
    private const int Chunk = 32 * 1024;

    /// <summary>Input has no end of its own: the thread that waits for it ends with the process.</summary>
    /// <param name="seen">Called with each piece before it is sent.</param>
    public static void Start(RunCall call, Action<ReadOnlyMemory<byte>> seen) => new Thread(() => Send(call, seen)) { IsBackground = true }.Start();

    private static void Send(RunCall call, Action<ReadOnlyMemory<byte>> seen)
    {
        var buffer = new byte[Chunk];
        try
        {
            while (StandardStream.Input.Read(buffer) is > 0 and var count)
            {
                seen(buffer.AsMemory(0, count));
                // Sent before it returns, so the buffer is free again.
                call.SendAsync(new RunInput { Stdin = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, count)) }).GetAwaiter().GetResult();
            }
        }
        catch (SyscallException)
        {
            // Standard input cannot be read, for instance because it is closed: to the tool it is at its end.
        }

        call.SendAsync(new RunInput { StdinEof = new StdinEof() }).GetAwaiter().GetResult();
    }
}
