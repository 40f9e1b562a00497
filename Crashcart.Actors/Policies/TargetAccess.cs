using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Policies;

/// <summary>In which containers somebody may have something done, by the policy that is in force when it is asked.</summary>
/// <param name="question">All that is known before a container is.</param>
public sealed class TargetAccess(IPolicy policy, PolicyQuestion question)
{
    /// <summary>In all of them.</summary>
    public static TargetAccess All { get; } = new(new Policy([]), new PolicyQuestion(PolicySubject.Local(0), PolicyVerb.List));

    /// <summary>The image that nodes use which were given none; null: one was asked for, and is in the question.</summary>
    public string? ImageWhereNone { get; init; }

    /// <summary>Null: the fleet has no authority, and its nodes ask for no grants.</summary>
    public IGrantSigner? Signer { get; init; }

    /// <summary>In every container of every node, also those that nobody knows.</summary>
    public bool IsUnlimited => policy.Decide(question).IsAllowed;

    public bool Allows(RunTarget target) => Decide(target).IsAllowed;

    /// <summary>What the policy says, with the rule that does.</summary>
    public PolicyVerdict Decide(RunTarget target) => policy.Decide(question with
    {
        Node = target.Node,
        Labels = target.Container.Labels,
        Image = ImageWhereNone is { } fallback ? target.LacksImage ? fallback : PolicyQuestion.NodesOwnImage : question.Image,
    });

    /// <summary>What the policy has recorded of a session there.</summary>
    public Recorded Recording(RunTarget target) => Decide(target).Rule?.Record ?? Recorded.Nothing;

    /// <param name="labels">Null: the container is not known any more.</param>
    public bool Allows(string node, IReadOnlyDictionary<string, string>? labels) =>
        policy.Decide(question with { Node = node, Labels = labels }).IsAllowed;

    /// <summary>The request as the node takes it.</summary>
    public IWireMessage Grant(RunTarget target, IWireMessage request)
    {
        if (Signer is null)
            return request;
        Grant grant = Protocol.Grant.Of(request);
        (grant.Node, grant.Subject, grant.Verb) = (target.Node, question.Subject.Name, question.Verb.ToText());
        return Signer.Sign(grant);
    }

    /// <summary>Whether there may be such a container on the node.</summary>
    public bool MayAllow(string node) => policy.MayAllow(question with { Node = node });
}
