using System.IO.Enumeration;

namespace Crashcart.Actors.Fleet;

/// <summary>How nodes are named by those who mean several.</summary>
internal static class NodeGlob
{
    /// <param name="glob">With * and ?; empty is every name.</param>
    public static bool Matches(string glob, string name) =>
        glob.Length == 0 || FileSystemName.MatchesSimpleExpression(glob, name, ignoreCase: false);
}
