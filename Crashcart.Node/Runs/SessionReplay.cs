using System.Runtime.CompilerServices;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Node.Runs;

/// <summary>Reads what is kept of a session as its stream would have been.</summary>
internal static class SessionReplay
{
    private const int MostLengthBytes = 5;

    // A frame is one read of the tool's output.
    private const int MostFrameBytes = 1 << 20;

    public static async IAsyncEnumerable<NodeFrame> ReadAsync(
        SessionRecord record, bool follow, bool endsOnly, [EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return new NodeFrame { Began = new SessionBegan() };
        using var output = endsOnly ? null : Open(record);
        long position = 0;
        while (true)
        {
            var changed = record.Changed;
            // In this order: behind the end there is no more output.
            var end = record.End;
            var length = output is null ? 0 : record.Bytes;
            while (position < length && Read(output!, ref position, length) is { } frame)
                yield return frame;
            if (end is not null || !follow)
            {
                yield return new NodeFrame { Exit = Exit(end) };
                yield break;
            }

            await changed.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static SafeFileHandle Open(SessionRecord record)
    {
        try
        {
            return record.OpenOutput();
        }
        catch (IOException e)
        {
            throw new NodeException(NodeFailure.Failed, $"The node cannot read what it keeps of session {record.SessionId}: {e.Message}", e);
        }
    }

    /// <returns>Null for what a process that was killed had not written to its end.</returns>
    private static NodeFrame? Read(SafeFileHandle output, ref long position, long length)
    {
        Span<byte> head = stackalloc byte[MostLengthBytes];
        var reader = new CodedInputStream(head[..Fill(output, head, position)].ToArray());
        if (!TryReadLength(reader, out var size) || size is 0 or > MostFrameBytes || position + reader.Position + size > length)
            return null;
        var frame = new byte[size];
        if (Fill(output, frame, position + reader.Position) < size)
            return null;
        position += reader.Position + size;
        return NodeFrame.Parser.ParseFrom(UnsafeByteOperations.UnsafeWrap(frame));
    }

    private static bool TryReadLength(CodedInputStream reader, out int length)
    {
        try
        {
            length = reader.ReadLength();
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            length = 0;
            return false;
        }
    }

    private static int Fill(SafeFileHandle output, Span<byte> buffer, long position)
    {
        var filled = 0;
        while (filled < buffer.Length && RandomAccess.Read(output, buffer[filled..], position + filled) is > 0 and var n)
            filled += n;
        return filled;
    }

    private static SessionExit Exit(SessionEnd? end) => end switch
    {
        null => new SessionExit { GoesOn = new SessionGoesOn() },
        { Failure: "" } => new SessionExit { ExitCode = end.ExitCode, Why = end.Why },
        _ => new SessionExit { Failure = new SessionFailure { ExitCode = end.ExitCode, Message = end.Failure } },
    };
}
