using Crashcart.Actors.Policies;
using Crashcart.Coordinator.Policies;

namespace Crashcart.Coordinator.Tests.Policies;

public sealed class DecisionTests
{
    private static readonly Policy Example = PolicyParser.Parse(
        """
        rules:
          - {name: vault, effect: deny, subjects: ['*'], labels: app=vault}
          - {name: no old image, effect: deny, subjects: ['*'], images: ['old:*']}
          - {name: sre, effect: allow, subjects: ['group:sre']}
          - {name: web, effect: allow, subjects: ['group:web', 'local:1000'], verbs: [exec], nodes: ['web-*'], labels: app=web, images: [default, 'debug:*'], profiles: [restricted], tools: [ps, /usr/bin/*]}
          - {name: look, effect: allow, subjects: ['user:*'], verbs: [nodes]}
        """,
        "p");

    // Group, verb, node, labels, image, profile, tool; the rule that decides, and what it says.
    [Theory]
    [InlineData("sre exec any app=web default privileged sh", "sre", true)]
    [InlineData("sre exec any app=vault default debug ps", "vault", false)]
    [InlineData("sre exec any app=web old:1 debug ps", "no old image", false)]
    [InlineData("sre kill any app=vault - - -", "vault", false)]
    [InlineData("sre push - - old:2 - -", "no old image", false)]
    [InlineData("sre push - - new:2 - -", "sre", true)]
    [InlineData("sre cordon any - - - -", "sre", true)]
    [InlineData("web exec web-1 app=web default restricted ps", "web", true)]
    [InlineData("web exec web-1 app=web debug:9 restricted ps", "web", true)]
    [InlineData("web exec web-1 app=web default restricted /usr/bin/ps", "web", true)]
    [InlineData("web exec web-1 app=web default restricted /bin/ps", null, false)]
    [InlineData("web exec web-1 app=web default restricted sh", null, false)]
    [InlineData("web exec web-1 app=web default debug ps", null, false)]
    [InlineData("web exec web-1 app=web other:1 restricted ps", null, false)]
    [InlineData("web exec web-1 app=db default restricted ps", null, false)]
    [InlineData("web exec db-1 app=web default restricted ps", null, false)]
    [InlineData("web list web-1 app=web - - -", null, false)]
    [InlineData("web nodes any - - - -", "look", true)]
    [InlineData("none nodes any - - - -", "look", true)]
    [InlineData("none list any app=web - - -", null, false)]
    public void The_first_rule_that_holds_decides(string asked, string? rule, bool allowed)
    {
        PolicyVerdict verdict = Example.Decide(Question(asked));

        Assert.Equal((rule, allowed), (verdict.Rule?.Name, verdict.IsAllowed));
    }

    [Fact]
    public void A_profile_that_was_changed_since_is_nobodys()
    {
        var own = new PolicyProfile("net", "restricted", null, 1, 0, FiltersCalls: true, NoNewPrivileges: true);
        var policy = new Policy([new PolicyRule("all", 1, Allows: true, ["*"]) { Profiles = ["net"] }]) { Profiles = [own] };
        PolicyQuestion question = Question("web exec web-1 app=web default net ps") with { Definition = own };

        Assert.True(policy.Decide(question).IsAllowed);
        Assert.True(policy.Decide(question with { Definition = own with { } }).IsAllowed);
        Assert.False(policy.Decide(question with { Definition = own with { Added = 3 } }).IsAllowed);
        Assert.False((policy with { Profiles = [] }).MayAllow(question));
    }

    [Fact]
    public void What_is_not_known_allows_nothing_and_lets_nothing_by()
    {
        PolicyQuestion everything = Question("web exec web-1 app=web default restricted ps");

        Assert.All(
            (PolicyQuestion[])
            [
                everything with { Node = null }, everything with { Labels = null }, everything with { Image = null },
                everything with { Profile = null }, everything with { Tool = null },
            ],
            question => Assert.Equal((false, true), (Example.Decide(question).IsAllowed, Example.MayAllow(question))));
        PolicyQuestion sre = Question("sre exec any app=web new:1 debug ps");
        Assert.Equal("vault", Example.Decide(sre with { Labels = null }).Rule?.Name);
        Assert.Equal("no old image", Example.Decide(sre with { Image = null }).Rule?.Name);
        Assert.True(Example.MayAllow(sre with { Labels = null, Image = null }));
        Assert.False(Example.MayAllow(Question("web exec - - - - sh")));
    }

    [Fact]
    public void Root_needs_no_rule_and_nobody_else_goes_without()
    {
        var nothing = new Policy([]);

        Assert.True(nothing.Decide(new PolicyQuestion(PolicySubject.Local(0), PolicyVerb.Exec)).IsAllowed);
        Assert.False(nothing.MayAllow(new PolicyQuestion(PolicySubject.Local(1), PolicyVerb.Nodes)));
        Assert.False(nothing.MayAllow(new PolicyQuestion(PolicySubject.User("root", ["root"]), PolicyVerb.Nodes)));
    }

    [Fact]
    public void A_users_name_is_no_pattern_and_no_other_kind_of_subject()
    {
        Policy policy = PolicyParser.Parse("rules: [{effect: allow, subjects: ['user:alice', 'local:10', 'group:a?']}]", "p");

        Assert.All(
            (PolicySubject[])[PolicySubject.User("*", []), PolicySubject.User("Alice", []), PolicySubject.User("x", ["alice", "a"]), PolicySubject.Local(1), PolicySubject.Local(100)],
            subject => Assert.False(policy.MayAllow(new PolicyQuestion(subject, PolicyVerb.Nodes))));
        Assert.True(policy.Decide(new PolicyQuestion(PolicySubject.User("x", ["ab"]), PolicyVerb.Nodes)).IsAllowed);
    }

    private static PolicyQuestion Question(string asked)
    {
        string?[] words = [.. asked.Split(' ').Select(word => word == "-" ? null : word)];
        return new PolicyQuestion(
            PolicySubject.User("somebody", [words[0]!]),
            PolicyParser.Verbs[words[1]!],
            words[2],
            words[3] is { } label ? new Dictionary<string, string> { [label.Split('=')[0]] = label.Split('=')[1] } : null,
            words[4],
            words[5],
            words[6]);
    }
}
