namespace Crashcart.Actors;

/// <summary>Signals by their Linux numbers (signal(7)).</summary>
internal static class LinuxSignal
{
    public const int Kill = 9;

    private const int HangUp = 1;
    private const int Interrupt = 2;
    private const int Quit = 3;
    private const int Terminate = 15;

    /// <summary>Who sends it wants the tool to end.</summary>
    public static bool IsWishToEnd(int signal) => signal is HangUp or Interrupt or Quit or Kill or Terminate;
}
