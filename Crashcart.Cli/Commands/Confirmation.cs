using System.Globalization;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>Asks the person at the terminal before a tool runs in very many containers.</summary>
internal static class Confirmation
{
    private const string Default = "20";

    /// <summary>Whether there is somebody to ask.</summary>
    public static bool IsPossible => UserTerminal.IsTerminal(0) && UserTerminal.IsTerminal(2);

    /// <summary>More containers than this are asked about.</summary>
    /// <exception cref="CrashcartException">The setting is no number.</exception>
    public static uint Threshold() => Quantities.Count("confirm-above", Settings.ConfirmAbove() ?? Default);

    /// <returns>True for yes.</returns>
    public static bool Ask(string tool, IReadOnlyList<Container> targets)
    {
        var hosts = targets.Select(target => target.Node).Distinct().Count();
        StandardText.Error(string.Create(
            CultureInfo.InvariantCulture,
            $"Run {SafeText.Of(tool)} in {targets.Count} containers on {hosts} host{(hosts == 1 ? "" : "s")}? [y/N] "));
        return ReadLine().Trim().ToUpperInvariant() is "Y" or "YES";
    }

    // A byte at a time: what stands behind the line may be the tools' input.
    private static string ReadLine()
    {
        var line = new List<byte>();
        var next = new byte[1];
        while (StandardStream.Input.Read(next) == 1 && next[0] != (byte)'\n')
            line.Add(next[0]);
        return System.Text.Encoding.UTF8.GetString([.. line]);
    }
}
