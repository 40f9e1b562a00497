using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// The terminal that the caller sits at, in raw mode: every key goes through as a byte, none is a signal here. Disposing
/// it, the process's exit and an unhandled exception put the old mode back; nothing can after SIGKILL.
/// </summary>
/// <remarks>termios(3), ioctl_tty(2)</remarks>
public sealed class UserTerminal : IDisposable
{
    private static int _raw;

    private readonly int _descriptor;
    private readonly termios _original;
    private readonly Lock _changing = new();
    private bool _restored;

    private UserTerminal(int descriptor, in termios original)
    {
        _descriptor = descriptor;
        _original = original;
        Interlocked.Increment(ref _raw);
        AppDomain.CurrentDomain.ProcessExit += OnProcessEnds;
        AppDomain.CurrentDomain.UnhandledException += OnProcessEnds;
    }

    /// <summary>Whether this process has its terminal in raw mode, in which a line's end does not lead to the next line's beginning.</summary>
    public static bool IsRaw => Volatile.Read(ref _raw) > 0;

    /// <summary>Whether a standard descriptor (0, 1 or 2) is a terminal.</summary>
    public static bool IsTerminal(int descriptor) => isatty(descriptor) == 1;

    /// <summary>Rows and columns of the first standard descriptor that is a terminal; 24 × 80 when none is, or none knows.</summary>
    public static unsafe TerminalSize Size
    {
        get
        {
            for (var descriptor = 0; descriptor <= 2; descriptor++)
            {
                winsize size;
                if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
                    return new TerminalSize(size.ws_row, size.ws_col);
            }

            return new TerminalSize(24, 80);
        }
    }

    /// <summary>Puts standard input's terminal into raw mode.</summary>
    /// <exception cref="SyscallException">Standard input is not a terminal (ENOTTY), or the terminal is gone (EIO).</exception>
    public static unsafe UserTerminal EnterRawMode()
    {
        termios original;
        if (tcgetattr(0, &original) != 0)
            throw new SyscallException("tcgetattr", errno, "standard input");
        var terminal = new UserTerminal(0, original);
        terminal.Resume();
        return terminal;
    }

    /// <summary>Applies raw mode again, after a stop (SIGCONT) during which the shell has taken the terminal back.</summary>
    public unsafe void Resume()
    {
        lock (_changing)
        {
            if (_restored)
                return;
            var raw = _original;
            raw.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
            raw.c_oflag &= ~OPOST;
            raw.c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
            raw.c_cflag = (raw.c_cflag & ~(CSIZE | PARENB)) | CS8;
            raw.c_cc[VMIN] = 1;
            raw.c_cc[VTIME] = 0;
            if (tcsetattr(_descriptor, (int)TCSADRAIN, &raw) != 0)
                throw new SyscallException("tcsetattr", errno, "raw mode on standard input");
        }
    }

    public unsafe void Dispose()
    {
        lock (_changing)
        {
            if (_restored)
                return;
            _restored = true;
            Interlocked.Decrement(ref _raw);
            // A terminal that has been hung up has no mode to put back, so a failure here is none.
            var original = _original;
            _ = tcsetattr(_descriptor, (int)TCSADRAIN, &original);
        }

        AppDomain.CurrentDomain.ProcessExit -= OnProcessEnds;
        AppDomain.CurrentDomain.UnhandledException -= OnProcessEnds;
    }

    private void OnProcessEnds(object? sender, EventArgs e) => Dispose();
}
