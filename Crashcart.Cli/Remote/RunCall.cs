using System.Runtime.CompilerServices;
using Crashcart.Api;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;
using Crashcart.Native;
using Grpc.Core;

namespace Crashcart.Cli.Remote;

/// <summary>Owns one run on the coordinator: when this ends, however it ends, the run ends.</summary>
internal sealed class RunCall : IDisposable
{
    // A reader of our output that has stalled must not keep crashcart alive once the run was ended.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private readonly CoordinatorClient _client;
    private readonly bool _passesSignals;
    private readonly CancellationTokenSource _ended = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly AsyncDuplexStreamingCall<RunInput, RunEvent> _call;
    private readonly Interruption _interruption;
    private readonly TaskCompletionSource<string> _run = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="passesSignals">Otherwise they end the call alone, and the tools are left to themselves.</param>
    public RunCall(CoordinatorClient client, bool passesSignals = true)
    {
        _passesSignals = passesSignals;
        _client = client;
        _interruption = new Interruption(signal => _ = SignalAsync(signal), _ended.Cancel) { IsWaiting = true };
        _call = client.Fleet.Run(cancellationToken: _ended.Token);
    }

    /// <summary>Starts the run and relays signals to it until <paramref name="consume"/> has seen its end.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="wait">Makes room for what is said when the run is interrupted.</param>
    /// <param name="consume">From the events to the exit status.</param>
    public async Task<int> RunAsync(RunRequest request, ImageWait wait, Func<IAsyncEnumerable<RunEvent>, Task<int>> consume)
    {
        using var relay = new SignalRelay(_interruption.On);
        await SendAsync(new RunInput { Start = request });
        var run = Task.Run(() => consume(ReadAsync()));
        try
        {
            return await run.WaitAsync(_ended.Token);
        }
        catch (OperationCanceledException) when (_interruption.EndedBy != 0)
        {
            await Task.WhenAny(run, Task.Delay(Patience));
            wait.Clear();
            if (_passesSignals)
                StandardText.Complain("Interrupted; the nodes end what still runs.");
            return ExitStatus.Signalled(_interruption.EndedBy);
        }
    }

    /// <summary>Whether there is nothing yet that a signal could be passed to.</summary>
    public void IsWaiting(bool isWaiting) => _interruption.IsWaiting = isWaiting || !_passesSignals;

    /// <summary>By a call of its own: the run's may be held up by input that no tool reads. A run that is over takes none.</summary>
    private async Task SignalAsync(int signal)
    {
        try
        {
            await _client.Fleet.SignalRunAsync(
                new SignalRunRequest { RunId = await _run.Task.WaitAsync(_ended.Token), Signal = signal }, cancellationToken: _ended.Token);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
        }
    }

    /// <summary>What Ctrl-C means while its byte is no signal; nothing, once a tool runs.</summary>
    public void InterruptWaiting()
    {
        if (_interruption.IsWaiting)
            _interruption.On(Signals.Interrupt);
    }

    /// <summary>Sends one input after the ones before it. A run that is over takes none, which its events tell.</summary>
    public async Task SendAsync(RunInput input)
    {
        try
        {
            await _sending.WaitAsync(_ended.Token);
            try
            {
                await _call.RequestStream.WriteAsync(input);
            }
            finally
            {
                _sending.Release();
            }
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException)
        {
        }
    }

    public void Dispose()
    {
        _call.Dispose();
        _ended.Cancel();
    }

    /// <exception cref="CrashcartException">The coordinator refused the run, or was lost.</exception>
    /// <exception cref="OperationCanceledException">The run was ended from here.</exception>
    private async IAsyncEnumerable<RunEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (true)
        {
            try
            {
                if (!await _call.ResponseStream.MoveNext(cancellation))
                    yield break;
            }
            catch (RpcException) when (_ended.IsCancellationRequested)
            {
                throw new OperationCanceledException(_ended.Token);
            }
            catch (RpcException e)
            {
                throw _client.Explain(e);
            }

            if (_call.ResponseStream.Current is { Started: { } started })
            {
                _run.TrySetResult(started.RunId);
                IsWaiting(false);
            }

            yield return _call.ResponseStream.Current;
            if (_call.ResponseStream.Current.EventCase == RunEvent.EventOneofCase.Ended)
            {
                await FarewellAsync();
                yield break;
            }
        }
    }

    /// <summary>Tells the coordinator that all was read. Input that is held up has no end; then the end of the call tells it.</summary>
    private async Task FarewellAsync()
    {
        if (!await _sending.WaitAsync(0))
            return;
        try
        {
            await _call.RequestStream.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException)
        {
        }
        finally
        {
            _sending.Release();
        }
    }
}
