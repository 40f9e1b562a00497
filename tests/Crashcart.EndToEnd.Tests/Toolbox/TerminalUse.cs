using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Something that a person presses, or waits to see.</summary>
internal delegate Task Step(Terminal terminal);

/// <summary>What a person does with a tool in a terminal.</summary>
/// <param name="Tools">The tools that it shows to work, parted by blanks.</param>
/// <param name="Line">A command line; with a shell's signs in it, bash runs it.</param>
/// <param name="Steps">One after the other; then the tool ends with status 0.</param>
internal sealed record TerminalUse(string Tools, string Line, params Step[] Steps)
{
    public override string ToString() => Line;

    public static Step Shows(string text) => terminal => terminal.Shows(text);

    public static Step Types(string text) => terminal => terminal.Type(text);

    /// <summary>A key by tmux's name for it.</summary>
    public static Step Presses(string key) => terminal => terminal.Press(key);

    public static Step Enters(string line) => terminal => terminal.Enter(line);
}
