namespace Crashcart.Actors.Policies;

/// <summary>Says who may do what.</summary>
public interface IPolicy
{
    /// <summary>The answer; what is not known of the question is no reason to allow it, and one to deny it.</summary>
    PolicyVerdict Decide(PolicyQuestion question);

    /// <summary>Whether it may be allowed once all is known; a first look, before anybody is asked anything.</summary>
    bool MayAllow(PolicyQuestion question);

    /// <summary>Those that it defines.</summary>
    IReadOnlyList<PolicyProfile> Profiles { get; }
}

/// <summary>Who asks.</summary>
/// <param name="Name">As rules write it: <c>user:alice</c> by certificate, <c>local:1000</c> by the Unix socket.</param>
/// <param name="Groups">As rules write them: <c>group:sre</c>.</param>
/// <param name="IsRoot">Root by the Unix socket, to whom no rule applies.</param>
public sealed record PolicySubject(string Name, IReadOnlyList<string> Groups, bool IsRoot = false)
{
    public static PolicySubject Local(uint user) => new($"local:{user}", [], IsRoot: user == 0);

    public static PolicySubject User(string name, IEnumerable<string> groups) => new($"user:{name}", [.. groups.Select(group => $"group:{group}")]);

    public override string ToString() => Name;
}

/// <summary>One thing that somebody wants to do. What is null is not known.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Labels">Of the container.</param>
/// <param name="Image">NAME:TAG, or <see cref="NodesOwnImage"/>.</param>
/// <param name="Profile">restricted, debug, privileged, or one that the policy defines</param>
/// <param name="Tool">As it is asked for: a name, or a path in the container.</param>
public sealed record PolicyQuestion(
    PolicySubject Subject,
    PolicyVerb Verb,
    string? Node = null,
    IReadOnlyDictionary<string, string>? Labels = null,
    string? Image = null,
    string? Profile = null,
    string? Tool = null)
{
    /// <summary>The image file that a node was given.</summary>
    public const string NodesOwnImage = "default";

    /// <summary>What the profile was when it was asked for; null: a built-in one.</summary>
    public PolicyProfile? Definition { get; init; }
}

/// <param name="Rule">The rule that decided; null: none did.</param>
public sealed record PolicyVerdict(bool IsAllowed, PolicyRule? Rule);

/// <summary>Rules in order. The first that holds decides; when none does, the answer is no.</summary>
public sealed record Policy(IReadOnlyList<PolicyRule> Rules) : IPolicy
{
    public IReadOnlyList<PolicyProfile> Profiles { get; init; } = [];

    public PolicyVerdict Decide(PolicyQuestion question) => Decide(question, rule => rule.Holds(question, unknown: !rule.Allows));

    public bool MayAllow(PolicyQuestion question) => Decide(question, rule => rule.Holds(question, unknown: rule.Allows)).IsAllowed;

    private PolicyVerdict Decide(PolicyQuestion question, Func<PolicyRule, bool> holds)
    {
        if (question.Subject.IsRoot)
            return new PolicyVerdict(true, null);
        // Rules speak of the profile as it is now.
        if (question.Definition is { } definition && !Profiles.Contains(definition))
            return new PolicyVerdict(false, null);
        PolicyRule? rule = Rules.FirstOrDefault(holds);
        return new PolicyVerdict(rule?.Allows == true, rule);
    }
}
