using Crashcart.Cli.Commands;

namespace Crashcart.Cli.Copy;

/// <summary>Runs the tools of copies in one container, here or anywhere in the fleet, as <c>crashcart exec</c> runs any.</summary>
internal interface ICopyHost : IDisposable
{
    /// <param name="input">Writes the tool's standard input, which is then at its end; null for none. Who fails to write tells that himself.</param>
    /// <param name="output">Takes what the tool writes.</param>
    /// <param name="errors">Takes what it says.</param>
    /// <returns>The tool's exit status; crashcart's own when it was not run, which the person has then been told.</returns>
    Task<int> RunAsync(SessionRequest request, Func<Stream, Task>? input, Stream output, Stream errors);
}
