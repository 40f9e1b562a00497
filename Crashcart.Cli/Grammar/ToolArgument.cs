using System.CommandLine;

namespace Crashcart.Cli.Grammar;

/// <summary>The tool and its own words: from the tool on, nothing is an option of ours.</summary>
internal sealed class ToolArgument : Argument<string[]>
{
    public ToolArgument(string helpName, bool required)
        : base(helpName)
    {
        HelpName = helpName;
        Arity = required ? ArgumentArity.OneOrMore : ArgumentArity.ZeroOrMore;
    }
}
