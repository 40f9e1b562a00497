using System.Net;
using System.Net.Sockets;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>One of the product's daemons as a process of its own; it can be killed and started again.</summary>
/// <param name="command">Asked for at each start.</param>
internal sealed class Daemon(Func<Command> command)
{
    private RunningCommand? _process;

    public Daemon(Command command)
        : this(() => command)
    {
    }

    /// <summary>Of its latest start.</summary>
    public int Pid => _process!.Pid;

    public bool HasExited { get; private set; }

    /// <summary>It has ended, and not because it was told to by this.</summary>
    public bool IsGone => !HasExited && _process!.HasExited;

    /// <summary>What it has logged since it was last started.</summary>
    public string Log => _process is { } process ? process.OutputSoFar + process.ErrorSoFar : "";

    /// <summary>The end of <see cref="Log"/>.</summary>
    public string LastWords => Log[^Math.Min(Log.Length, 2000)..];

    /// <summary>An address on loopback that was free a moment ago.</summary>
    public static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener.LocalEndpoint.ToString()!;
    }

    public void Start()
    {
        _process = command().Start();
        HasExited = false;
    }

    /// <summary>Waits for its end after a signal.</summary>
    public async Task<CommandResult> Result()
    {
        var result = await _process!.Result();
        HasExited = true;
        return result;
    }

    /// <summary>Asks it to end, as systemd does.</summary>
    public Task Stop() => End(LibC.SIGTERM);

    /// <summary><c>kill -9</c></summary>
    public Task Kill() => End(LibC.SIGKILL);

    /// <summary>Sends a signal and waits for nothing.</summary>
    public void Signal(int signal)
    {
        if (!HasExited)
            _process!.Signal(signal);
    }

    private async Task End(int signal)
    {
        if (_process is not { } process || HasExited)
            return;
        process.Signal(signal);
        await process.Result();
        await process.DisposeAsync();
        HasExited = true;
    }
}
