using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Policies;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Policies;
using Grpc.Core;
using RunEvent = Crashcart.Actors.Fleet.RunEvent;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>The client's API on the policy.</summary>
internal sealed class PoliciesService(FleetGate fleet, PolicyStore policy) : Crashcart.Api.Policies.PoliciesBase
{
    /// <summary>More than a node's patience, so that its silence is told as such.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(8);

    public override async Task<ExplainPolicyResponse> Explain(ExplainPolicyRequest request, ServerCallContext context)
    {
        if (!PolicyParser.Verbs.TryGetValue(request.Verb, out PolicyVerb verb))
            throw RunMapping.Invalid($"'{request.Verb}' is no verb; there are {string.Join(", ", PolicyParser.Verbs.Keys)}.");
        RunProfile? profile = verb == PolicyVerb.Exec || request.Profile.Length > 0 ? RunProfile.Of(policy, request.Profile) : null;
        PolicyQuestion question = new(Subject(request), verb)
        {
            Image = request.Image == PolicyQuestion.NodesOwnImage ? request.Image : RunMapping.ToImage(request.Image),
            Profile = profile?.Name,
            Definition = profile?.Definition,
            Tool = Known(request.Tool),
        };
        if (request.Target.Length > 0)
        {
            question = verb.Aspects().HasFlag(PolicyAspects.Labels)
                ? await In(request.Target, question, request.Image.Length > 0, context.CancellationToken)
                : question with { Node = request.Target };
        }
        PolicyVerdict verdict = policy.Decide(question);
        string open = !verdict.IsAllowed && policy.MayAllow(question) ? "It depends on what the question leaves open. As it stands: " : "";
        return new ExplainPolicyResponse { Allowed = verdict.IsAllowed, Reason = $"{open}{Reason(question, verdict)} {profile?.Describe()}".TrimEnd() };
    }

    private static PolicySubject Subject(ExplainPolicyRequest request) => request.Subject.Split(':', 2) switch
    {
        ["user", { Length: > 0 } name] => PolicySubject.User(name, request.Groups),
        ["local", var text] when uint.TryParse(text, out uint user) => PolicySubject.Local(user),
        _ => throw RunMapping.Invalid($"'{request.Subject}' is nobody: write user:NAME, or local:UID for the Unix socket."),
    };

    /// <summary>The question with what is known of the container.</summary>
    private async Task<PolicyQuestion> In(string container, PolicyQuestion question, bool isImageGiven, CancellationToken cancellation)
    {
        RunTargets.One one = RunTargets.One.Parse(container);
        var found = await fleet.AskFleet<FleetQuery.Containers>(FleetQuery.ListContainers.For(one, TargetAccess.All), AnswerPatience, cancellation);
        if (!SingleTarget.TryChoose(one, found, out IReadOnlyList<RunTarget> targets, out RunEvent.Rejected? rejection))
            throw new RpcException(new Status(rejection.NotFound ? StatusCode.NotFound : StatusCode.InvalidArgument, rejection.Message));
        return question with
        {
            Node = targets[0].Node,
            Labels = targets[0].Container.Labels,
            Image = isImageGiven ? question.Image : targets[0].LacksImage ? ImageName.Default.Value : PolicyQuestion.NodesOwnImage,
        };
    }

    private string Reason(PolicyQuestion question, PolicyVerdict verdict) => verdict.Rule switch
    {
        _ when policy.Path is null => "This coordinator has no policy: everybody may do everything who may use it.",
        _ when question.Subject.IsRoot => "Root over the Unix socket may do everything.",
        { } rule => $"{policy.Path}:{rule.Line}: the rule '{rule.Name}' {(rule.Allows ? "allows" : "denies")} it{Recording(question, rule)}.",
        null => $"{policy.Path}: no rule is about it, so it is denied.",
    };

    private static string Recording(PolicyQuestion question, PolicyRule rule) => (question.Verb, rule.Record) switch
    {
        (PolicyVerb.Exec, Recorded.Output) => ", and has the output recorded",
        (PolicyVerb.Exec, Recorded.Input) => ", and has output and input recorded",
        _ => "",
    };

    private static string? Known(string text) => text.Length > 0 ? text : null;
}
