using System.Diagnostics.CodeAnalysis;

namespace Crashcart.Actors.Fleet;

/// <summary>Which of the containers that the nodes found a run for one container means.</summary>
public static class SingleTarget
{
    private const int Named = 5;

    /// <returns>True: exactly one target. False: why not.</returns>
    public static bool TryChoose(
        RunTargets.One wanted,
        FleetQuery.Containers found,
        out IReadOnlyList<RunTarget> target,
        [NotNullWhen(false)] out RunEvent.Rejected? rejection)
    {
        // A whole name or id means that container, whatever else begins so elsewhere.
        var exact = found.All.Where(t => t.Container.Name == wanted.Container || t.Container.Id == wanted.Container).ToList();
        target = exact.Count > 0 ? exact : found.All;
        rejection = target.Count switch
        {
            // Nothing begins every id, and what it selects is nobody's choice.
            _ when wanted.Container.Length == 0 => new RunEvent.Rejected(NotFound: false, $"'{wanted}' names no container; 'crashcart ps' lists what runs."),
            1 => null,
            0 => new RunEvent.Rejected(NotFound: true, NotThere(wanted, found.Silent)),
            _ => new RunEvent.Rejected(NotFound: false, Ambiguous(wanted, target)),
        };
        return rejection is null;
    }

    private static string NotThere(RunTargets.One wanted, IReadOnlyList<SilentNode> silent)
    {
        string where = wanted.Node is null ? "on any node" : $"on node {wanted.Node}";
        string doubt = silent.Count == 0
            ? "'crashcart ps' lists what runs"
            : $"not every node could say: {string.Join(", ", silent.Select(node => $"{node.Node} ({node.Problem.TrimEnd('.')})"))}";
        return $"No running container is named, or has an id that begins, '{wanted.Container}' {where}; {doubt}.";
    }

    private static string Ambiguous(RunTargets.One wanted, IReadOnlyList<RunTarget> found)
    {
        string names = string.Join(", ", found.Take(Named).Select(t => $"{t.Node}/{t.Container.Name}"));
        string more = found.Count > Named ? $" and {found.Count - Named} more" : "";
        return $"'{wanted}' means {found.Count} containers: {names}{more}; name one of them.";
    }
}
