namespace Crashcart.Cli.Commands;

/// <summary>Numbers of signals on Linux, signal(7), as they are told to tools and coordinators.</summary>
internal static class Signals
{
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Kill = 9;
    public const int User1 = 10;
    public const int User2 = 12;
    public const int Pipe = 13;
    public const int Terminate = 15;
}
