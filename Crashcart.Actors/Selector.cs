namespace Crashcart.Actors;

/// <summary>
/// A Kubernetes label selector: requirements that must all hold, such as <c>app=web,tier!=db,env in (a,b),!canary</c>.
/// </summary>
/// <remarks>https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors</remarks>
public sealed class Selector
{
    /// <summary>Selects everything.</summary>
    public static readonly Selector All = new([]);

    private Selector(IReadOnlyList<Requirement> requirements) => Requirements = requirements;

    /// <summary>All of them must hold.</summary>
    internal IReadOnlyList<Requirement> Requirements { get; }

    /// <param name="text">Empty or blank selects everything.</param>
    /// <param name="problem">Where the text is wrong, counted from 1, and what was expected there.</param>
    public static bool TryParse(string text, out Selector selector, out string problem)
    {
        try
        {
            selector = new Selector(new SelectorParser(text).Parse());
            problem = "";
            return true;
        }
        catch (SelectorException wrong)
        {
            selector = All;
            problem = wrong.Message;
            return false;
        }
    }

    public bool SelectsAll => Requirements.Count == 0;

    public bool Matches(IReadOnlyDictionary<string, string> labels) => Requirements.All(r => r.Holds(labels));

    /// <summary>One requirement on one label.</summary>
    /// <param name="Values">Null: it is about the label's presence alone.</param>
    internal sealed record Requirement(string Key, bool Negated, IReadOnlyList<string>? Values)
    {
        /// <summary>A label that is absent satisfies <c>!=</c> and <c>notin</c>, as in Kubernetes.</summary>
        public bool Holds(IReadOnlyDictionary<string, string> labels)
        {
            bool positive = labels.TryGetValue(Key, out string? value) && (Values is null || Values.Contains(value, StringComparer.Ordinal));
            return positive != Negated;
        }
    }
}
