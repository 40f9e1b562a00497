using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Node.Streams;

/// <summary>
/// What the coordinator sends, done to the tool, in order. A tool that does not read its input makes what comes after
/// wait, and the client with it; the session can still be ended.
/// </summary>
internal sealed class ToolInput(ITool tool)
{
    private bool _closed = tool.StandardInput is null;

    public async ValueTask ApplyAsync(CoordinatorFrame frame, CancellationToken cancellation)
    {
        switch (frame.FrameCase)
        {
            case CoordinatorFrame.FrameOneofCase.Stdin when !_closed:
                await WriteAsync(frame.Stdin.Memory, cancellation).ConfigureAwait(false);
                break;
            case CoordinatorFrame.FrameOneofCase.StdinClosed when !_closed:
                _closed = true;
                tool.CloseInput();
                break;
            case CoordinatorFrame.FrameOneofCase.Resize:
                tool.Resize((int)Math.Min(frame.Resize.Rows, int.MaxValue), (int)Math.Min(frame.Resize.Columns, int.MaxValue));
                break;
        }
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        try
        {
            await tool.StandardInput!.WriteAsync(data, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The tool closed its input or has ended; what else comes is for nobody.
            _closed = true;
        }
    }
}
