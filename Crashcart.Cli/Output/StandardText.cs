using System.Text;
using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>Our own words on standard output and error.</summary>
internal static class StandardText
{
    /// <exception cref="SyscallException">EPIPE: nobody reads any more.</exception>
    public static void Output(string text) => StandardStream.Output.Write(Encoding.UTF8.GetBytes(text));

    /// <summary>Errors that cannot be told to anybody are dropped: the exit status remains.</summary>
    public static void Error(string text)
    {
        try
        {
            var lines = UserTerminal.IsRaw && UserTerminal.IsTerminal(2) ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text;
            StandardStream.Error.Write(Encoding.UTF8.GetBytes(lines));
        }
        catch (SyscallException)
        {
        }
    }

    /// <summary>One line <c>crashcart: sentence</c> on standard error.</summary>
    public static void Complain(string sentence) => Error($"crashcart: {sentence.TrimEnd('.')}.\n");
}
