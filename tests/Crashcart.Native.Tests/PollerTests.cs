using Microsoft.Win32.SafeHandles;

namespace Crashcart.Native.Tests;

public sealed class PollerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_pipe_is_readable_when_something_was_written()
    {
        using var pipe = new AnonymousPipe();
        Task ready = Poller.WaitReadable(pipe.Reader);
        Assert.False(ready.IsCompleted);
        pipe.Writer.Write([1]);
        await ready.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_pipe_is_readable_when_its_writer_has_gone()
    {
        using var pipe = new AnonymousPipe();
        Task ready = Poller.WaitReadable(pipe.Reader);
        pipe.Writer.Dispose();
        await ready.WaitAsync(Limit);
    }

    [Fact]
    public async Task Everybody_who_waits_for_one_handle_is_told()
    {
        using var pipe = new AnonymousPipe();
        Task[] all = [.. Enumerable.Range(0, 5).Select(_ => Poller.WaitReadable(pipe.Reader))];
        pipe.Writer.Write([1]);
        await Task.WhenAll(all).WaitAsync(Limit);
    }

    [Fact]
    public async Task A_wait_that_is_cancelled_ends_and_leaves_the_others_waiting()
    {
        using var pipe = new AnonymousPipe();
        using var stop = new CancellationTokenSource();
        Task cancelled = Poller.WaitReadable(pipe.Reader, stop.Token), other = Poller.WaitReadable(pipe.Reader);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Limit));
        Assert.False(other.IsCompleted);
        pipe.Writer.Write([1]);
        await other.WaitAsync(Limit);
    }

    [Fact]
    public async Task A_regular_file_is_always_ready()
    {
        using SafeFileHandle file = File.OpenHandle("/proc/self/exe");
        await Poller.WaitReadable(file).WaitAsync(Limit);
    }

    [Fact]
    public async Task A_deadline_cancels_after_its_time_and_with_the_token_that_it_is_given()
    {
        using (var soon = Deadline.After(TimeSpan.FromMilliseconds(1.5)))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Limit, soon.Token));
        using var stop = new CancellationTokenSource();
        using var late = Deadline.After(TimeSpan.FromHours(1), stop.Token);
        Assert.False(late.Token.IsCancellationRequested);
        await stop.CancelAsync();
        Assert.True(late.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task A_number_that_is_used_again_does_not_wake_who_waits_for_the_new_handle()
    {
        for (int i = 0; i < 200; i++)
        {
            using var stop = new CancellationTokenSource();
            var old = new AnonymousPipe();
            Task cancelled = Poller.WaitReadable(old.Reader, stop.Token);
            old.Writer.Write([1]);
            await stop.CancelAsync();
            old.Dispose();
            using var reused = new AnonymousPipe();
            Task ready = Poller.WaitReadable(reused.Reader);
            await Task.Yield();
            Assert.False(ready.IsCompleted);
            await Task.WhenAny(cancelled);
            reused.Writer.Dispose();
            await ready.WaitAsync(Limit);
        }
    }

    [Fact]
    public void Work_on_a_lent_thread_may_await_the_poller()
    {
        using var pipe = new AnonymousPipe();
        Assert.Equal(7, Poller.Run(async () =>
        {
            Task ready = Poller.WaitReadable(pipe.Reader);
            pipe.Writer.Write([1]);
            await ready.ConfigureAwait(false);
            return 7;
        }));
    }

    [Fact]
    public void Work_on_a_lent_thread_may_end_on_another_one() =>
        Assert.Equal(7, Poller.Run(() => Task.Run(async () =>
        {
            await Task.Yield();
            return 7;
        })));

    [Fact]
    public void What_work_on_a_lent_thread_throws_is_thrown() =>
        Assert.Throws<FormatException>(() => Poller.Run<int>(async () =>
        {
            await Task.Yield();
            throw new FormatException();
        }));

    [Fact]
    public async Task Disposing_a_stream_ends_the_read_that_waits()
    {
        using var pipe = new AnonymousPipe();
        var stream = new DescriptorStream(pipe.Reader, FileAccess.Read);
        ValueTask<int> read = stream.ReadAsync(new byte[1]);
        Assert.False(read.IsCompleted);
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => read.AsTask().WaitAsync(Limit));
    }

    [Fact]
    public async Task Disposing_a_stream_is_end_of_file_for_the_other_side()
    {
        using var pipe = new AnonymousPipe();
        var stream = new DescriptorStream(pipe.Writer, FileAccess.Write);
        await stream.WriteAsync("x"u8.ToArray());
        await stream.DisposeAsync();
        Assert.Equal("x"u8.ToArray(), pipe.Reader.ReadToEnd(1 << 20)!);
    }

    [Fact]
    public async Task Megabytes_pass_through_a_pipe_unchanged()
    {
        byte[] sent = new byte[4 << 20];
        new Random(1).NextBytes(sent);
        using var pipe = new AnonymousPipe();
        await using var reader = new DescriptorStream(pipe.Reader, FileAccess.Read);
        var writer = new DescriptorStream(pipe.Writer, FileAccess.Write);
        Task writing = Task.Run(async () =>
        {
            await writer.WriteAsync(sent);
            await writer.DisposeAsync();
        });
        using var received = new MemoryStream();
        await reader.CopyToAsync(received).WaitAsync(Limit);
        await writing;
        Assert.Equal(sent, received.ToArray());
    }

    /// <summary>Both ends of a pipe, as raw as the streams under test get them.</summary>
    private sealed class AnonymousPipe : IDisposable
    {
        private readonly (Descriptor Reader, Descriptor Writer) _ends = Descriptor.Pipe();

        public Descriptor Reader => _ends.Reader;

        public Descriptor Writer => _ends.Writer;

        public void Dispose()
        {
            Reader.Dispose();
            Writer.Dispose();
        }
    }
}
