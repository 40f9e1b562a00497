using Crashcart.Actors.Fleet;
using Crashcart.Actors.Policies;
using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Configuration;
using Grpc.Core;

namespace Crashcart.Coordinator.Policies;

/// <summary>Where every call of a client meets the policy in force.</summary>
/// <param name="signer">Null: nodes ask for no grants.</param>
internal sealed class PolicyGate(PolicyStore policy, IGrantSigner? signer, ILogger<PolicyGate> log)
{
    /// <summary>What a call may never do, whatever it is about, is refused before its message is read.</summary>
    /// <exception cref="RpcException">PERMISSION_DENIED</exception>
    public void Enter(ServerCallContext call)
    {
        IReadOnlyList<PolicyVerb> verbs = CallVerbs.Of(call.Method);
        if (verbs.Count == 0)
            throw new RpcException(new Status(StatusCode.Unimplemented, $"Nobody has decided who may call {call.Method}."));
        if (!verbs.Any(verb => policy.MayAllow(Question(call, verb))))
            throw Refusal(call, Question(call, verbs[0]));
    }

    /// <summary>A question by the call's user.</summary>
    public static PolicyQuestion Question(ServerCallContext call, PolicyVerb verb) => new(PeerCheck.Subject(call.GetHttpContext()), verb);

    /// <exception cref="RpcException">There is none of that name.</exception>
    public RunProfile Profile(string name) => RunProfile.Of(policy, name);

    /// <summary>Of a question that says all that there is to know.</summary>
    /// <exception cref="RpcException">PERMISSION_DENIED</exception>
    public void Require(ServerCallContext call, PolicyQuestion question)
    {
        if (!policy.Decide(question).IsAllowed)
            throw Refusal(call, question);
    }

    /// <summary>Where the call's user may have it done.</summary>
    /// <param name="imageWhereNone">As in <see cref="TargetAccess.ImageWhereNone"/>.</param>
    /// <exception cref="RpcException">PERMISSION_DENIED: nowhere.</exception>
    public TargetAccess RequireSomewhere(ServerCallContext call, PolicyQuestion question, string? imageWhereNone = null) => policy.MayAllow(question)
        ? new TargetAccess(policy, question) { ImageWhereNone = imageWhereNone, Signer = signer }
        : throw Refusal(call, question);

    /// <summary>As <see cref="RequireSomewhere"/>, and it may be nowhere.</summary>
    public TargetAccess Access(PolicyQuestion question) => new(policy, question) { Signer = signer };

    /// <summary>To which runs as a whole the question's user may do it.</summary>
    public RunAccess Runs(PolicyQuestion question) => new(question.Subject.Name, Allows(question));

    /// <summary>Whether the call's user may do it, for lists of which each sees his part.</summary>
    public bool Allows(PolicyQuestion question) => policy.Decide(question).IsAllowed;

    private RpcException Refusal(ServerCallContext call, PolicyQuestion question)
    {
        string asked = Sentence(question);
        PolicyLog.Refused(log, PeerCheck.Describe(call.GetHttpContext()), call.Method, asked);
        return new RpcException(new Status(
            StatusCode.PermissionDenied, $"The fleet's policy does not let {asked}. Ask whoever keeps it; it is where the coordinator's --policy says."));
    }

    private static string Sentence(PolicyQuestion question)
    {
        string groups = question.Subject.Groups.Count > 0 ? $" ({string.Join(", ", question.Subject.Groups)})" : "";
        string details = string.Concat(
            question.Tool is { } tool ? $" {tool}" : "",
            question.Node is { } node ? $" on node {node}" : "",
            question.Image is { } image ? $" with image {image}" : "",
            question.Profile is { } profile ? $" with profile {profile}" : "");
        return $"{question.Subject}{groups} {question.Verb.ToText()}{details}";
    }
}
