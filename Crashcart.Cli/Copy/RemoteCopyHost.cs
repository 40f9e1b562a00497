using Crashcart.Api;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Remote;
using Google.Protobuf;

namespace Crashcart.Cli.Copy;

/// <summary>A container that the coordinator reaches.</summary>
/// <param name="target">NODE/CONTAINER, or a container's name or id.</param>
/// <param name="image">An image of the fleet's; empty: the node's own.</param>
/// <param name="reason">What it is for.</param>
internal sealed class RemoteCopyHost(CoordinatorAddress address, string target, string image, string reason) : ICopyHost
{
    private readonly CoordinatorClient _client = new(address);

    public async Task<int> RunAsync(SessionRequest request, Func<Stream, Task>? input, Stream output, Stream errors)
    {
        using var call = new RunCall(_client);
        var start = new RunRequest { Container = target, Image = image, Tool = request.ToTool(default, stdin: input is not null), Reason = reason };
        var wait = ImageWait.OnStandardError();
        var tool = new InputStream(call);
        try
        {
            return await call.RunAsync(start, wait, events => RemoteSession.ConsumeAsync(events, output, errors, OnStarted, wait, call.IsWaiting));
        }
        finally
        {
            tool.IsOver = true;
        }

        void OnStarted()
        {
            if (input is not null)
                _ = Task.Run(() => WriteAsync(input, tool));
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task WriteAsync(Func<Stream, Task> input, InputStream tool)
    {
        try
        {
            await input(tool);
        }
        catch (EndOfStreamException)
        {
            // The run is over; its exit status tells why.
        }
        finally
        {
            await tool.EndAsync();
        }
    }

    /// <summary>The tool's standard input, at the other end of the run.</summary>
    private sealed class InputStream(RunCall call) : Stream
    {
        private const int Largest = 64 * 1024;

        private volatile bool _isOver;

        /// <summary>Nobody reads any more.</summary>
        public bool IsOver
        {
            set => _isOver = value;
        }

        public override bool CanRead => false;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var data = buffer; !data.IsEmpty; data = data[Math.Min(Largest, data.Length)..])
            {
                if (_isOver)
                    throw new EndOfStreamException();
                // Sent before it returns, so the buffer is free again.
                await call.SendAsync(new RunInput { Stdin = UnsafeByteOperations.UnsafeWrap(data[..Math.Min(Largest, data.Length)]) });
            }
        }

        public Task EndAsync() => call.SendAsync(new RunInput { StdinEof = new StdinEof() });

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
