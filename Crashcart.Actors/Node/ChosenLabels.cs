using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node;

/// <summary>The labels for which a container was chosen, against those that it has now.</summary>
internal static class ChosenLabels
{
    /// <returns>Why the container is not to be entered, a sentence; empty: it is the one that was chosen.</returns>
    public static string Refusal(ContainerLabels? chosen, Container now) =>
        chosen is null || (chosen.Labels.Count == now.Labels.Count && chosen.Labels.All(label => now.Labels.TryGetValue(label.Key, out var value) && value == label.Value))
            ? ""
            : $"The labels of container {now.Name} have changed since it was chosen, so it was not entered; do it again.";
}
