using System.Text;
using Crashcart.Actors.Policies;
using Crashcart.Coordinator.Policies;

namespace Crashcart.Coordinator.Tests.Policies;

public sealed class PolicyParserTests
{
    private const int Cases = 20_000;

    [Theory]
    [InlineData("", "1:1", "one document")]
    [InlineData("rules: []\n---\nrules: []\n", "1:1", "one document")]
    [InlineData("- a\n", "1:1", "'name: value' lines")]
    [InlineData("rule: []\n", "1:1", "no 'rule'")]
    [InlineData("{}\n", "1:1", "'rules:' with a list")]
    [InlineData("rules: all\n", "1:8", "takes a list")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['*']\n    colour: red\n", "4:5", "no 'colour'")]
    [InlineData("rules:\n  - subjects: ['*']\n", "2:5", "needs 'effect: allow' or 'effect: deny'")]
    [InlineData("rules:\n  - effect: maybe\n    subjects: ['*']\n", "2:13", "'maybe' is none of allow, deny")]
    [InlineData("rules:\n  - effect: [allow]\n    subjects: ['*']\n", "2:13", "takes one value")]
    [InlineData("rules:\n  - effect: allow\n", "2:5", "needs 'subjects'")]
    [InlineData("rules:\n  - effect: allow\n    subjects: alice\n", "3:15", "takes a list")]
    [InlineData("rules:\n  - effect: allow\n    subjects: []\n", "3:15", "'subjects' is empty")]
    [InlineData("rules:\n  - effect: allow\n    subjects: [alice]\n", "3:16", "'alice' in 'subjects' is none of user:NAME")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['user:']\n", "3:16", "none of user:NAME")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['']\n", "3:16", "plain values")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['*']\n    verbs: [exec, fly]\n", "4:19", "'fly' in 'verbs' is none of list, exec,")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['*']\n    profiles: [root]\n", "4:16", "none of restricted, debug, privileged")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['*']\n    labels: app web\n", "4:13", "the selector is malformed at character")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['*']\n    verbs: [exec, kill]\n    tools: [ps]\n", "5:12", "'kill' has no tools")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['*']\n    record: all\n", "4:13", "'all' is none of output, input")]
    [InlineData("rules:\n  - effect: deny\n    subjects: ['*']\n    record: output\n", "4:13", "nothing to record")]
    [InlineData("rules:\n  - effect: allow\n    subjects: ['*']\n    verbs: [list, kill]\n    record: output\n", "5:13", "only sessions are recorded")]
    [InlineData("rules:\n  - effect: allow\n    effect: deny\n    subjects: ['*']\n", "3:5", "not valid YAML")]
    [InlineData("rules: [\n", "2:1", "not valid YAML")]
    [InlineData("rules: &a []\n", "1:8", "no anchors")]
    [InlineData("rules:\n  - effect: allow\n    subjects: [[[[[a]]]]]\n", "3:16", "nested that deep")]
    [InlineData("profiles: [a]\nrules: []\n", "1:11", "takes names")]
    [InlineData("profiles:\n  debug: {base: debug}\nrules: []\n", "2:3", "'debug' is built in")]
    [InlineData("profiles:\n  'net*': {base: debug}\nrules: []\n", "2:3", "a profile's name is")]
    [InlineData("profiles:\n  net: debug\nrules: []\n", "2:8", "'name: value' lines")]
    [InlineData("profiles:\n  net: {}\nrules: []\n", "2:8", "either 'base'")]
    [InlineData("profiles:\n  net: {base: debug, capabilities: []}\nrules: []\n", "2:8", "either 'base'")]
    [InlineData("profiles:\n  net: {base: other}\nrules: []\n", "2:15", "'other' is none of restricted, debug, privileged")]
    [InlineData("profiles:\n  net: {base: debug, colour: red}\nrules: []\n", "2:22", "no 'colour'")]
    [InlineData("profiles:\n  net:\n    base: debug\n    add: [NET_RAW, PTRACE]\nrules: []\n", "4:20", "no capability 'PTRACE': perhaps SYS_PTRACE was meant")]
    [InlineData("profiles:\n  net: {capabilities: NET_RAW}\nrules: []\n", "2:23", "takes a list")]
    [InlineData("profiles:\n  net: {base: debug, seccomp: maybe}\nrules: []\n", "2:31", "none of true, false")]
    [InlineData("profiles:\n  net: {base: debug, no-new-privileges: false}\nrules: []\n", "2:41", "only a profile with 'base: privileged'")]
    [InlineData("profiles:\n  net: {base: privileged, seccomp: true, no-new-privileges: false}\nrules: []\n", "2:61", "needs no-new-privileges")]
    [InlineData("profiles:\n  net: {base: debug}\n  net: {base: debug}\nrules: []\n", "3:3", "not valid YAML")]
    [InlineData("profiles:\n  net: {base: debug}\nrules:\n  - effect: allow\n    subjects: ['*']\n    profiles: [nett]\n", "6:16", "none of restricted, debug, privileged, net")]
    public void What_is_wrong_is_told_with_its_place(string text, string place, string sentence)
    {
        var wrong = Assert.Throws<PolicyException>(() => PolicyParser.Parse(text, "policy.yaml"));

        Assert.StartsWith($"policy.yaml:{place}: ", wrong.Message, StringComparison.Ordinal);
        Assert.Contains(sentence, wrong.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rule_knows_its_name_and_its_line()
    {
        IReadOnlyList<PolicyRule> rules = PolicyParser.Parse(
            "# first\nrules:\n  - {effect: deny, subjects: ['*']}\n  - name: second\n    effect: allow\n    subjects: ['*']\n", "p").Rules;

        Assert.Equal([("rule 1", 3, false), ("second", 4, true)], rules.Select(rule => (rule.Name, rule.Line, rule.Allows)));
    }

    [Fact]
    public void A_profile_is_its_base_and_what_is_said_of_it()
    {
        Policy policy = PolicyParser.Parse(
            """
            profiles:
              net: {base: restricted, add: [net_raw, CAP_NET_ADMIN], drop: [MKNOD], may-add: [SYS_PTRACE]}
              none: {capabilities: []}
              root: {base: privileged, drop: [SYS_MODULE], seccomp: true}
            rules:
              - {effect: allow, subjects: ['*'], profiles: [net, none]}
            """,
            "p");

        Assert.Equal(
            [
                new PolicyProfile("net", "restricted", null, 3UL << 12, 1UL << 27, FiltersCalls: true, NoNewPrivileges: true) { MayAdd = 1UL << 19 },
                new PolicyProfile("none", "restricted", 0, 0, 0, FiltersCalls: true, NoNewPrivileges: true),
                new PolicyProfile("root", "privileged", null, 0, 1UL << 16, FiltersCalls: true, NoNewPrivileges: true),
            ],
            policy.Profiles);
        Assert.Equal(["net", "none"], policy.Rules[0].Profiles);
    }

    [Fact]
    public void The_policy_in_the_documentation_is_one()
    {
        string page = File.ReadAllText(Path.Combine(Root(), "docs/policy.md"));
        List<Policy> examples = [.. page.Split("```yaml\n").Skip(1).Select(part => PolicyParser.Parse(part.Split("```")[0], "docs/policy.md"))];

        Assert.Equal([(5, 0), (1, 2)], examples.Select(example => (example.Rules.Count, example.Profiles.Count)));
    }

    /// <summary>Whatever a file holds, it is taken or refused with a place; the seeds are fixed, so that a case can be had again.</summary>
    [Fact]
    public void Nothing_that_a_file_may_hold_breaks_the_parser()
    {
        string[] words =
        [
            "rules:", "profiles:", "net: ", "base: debug", "add: [KILL]", "capabilities: []", "\n", "\n  - ", "\n    ", " ", "effect: allow", "effect: deny", "subjects: ['*']", "subjects:", "verbs: [exec]", "nodes: [a*]", "labels: app=web",
            "labels: 'a in (b,c)'", "tools: [\"\\x00\"]", "images: [default]", "[", "]", "{", "}", ",", ":", "- ", "? ", "| ", "> ", "'", "\"", "#", "&a ", "*a ", "!!str ", "!<x> ",
            "---\n", "...\n", "%YAML 1.2\n", "\t", "\u0000", "\uFEFF", "\uD83D", "é", "~", "null", "<<: ", "0x1F", new string('[', 400), new string(' ', 300), new string('a', 5000),
        ];
        for (int seed = 0; seed < Cases; seed++)
        {
            var random = new Random(seed);
            var text = new StringBuilder(random.Next(2) == 0 ? "rules:\n  - effect: allow\n    subjects: ['user:*', 'group:sre']\n    verbs: [exec]\n" : "");
            for (int left = random.Next(24); left > 0; left--)
                text.Insert(random.Next(3) == 0 ? random.Next(text.Length + 1) : text.Length, words[random.Next(words.Length)]);
            for (int left = random.Next(4); left > 0 && text.Length > 0; left--)
                text[random.Next(text.Length)] = (char)random.Next(random.Next(2) == 0 ? 128 : 0x10000);
            try
            {
                PolicyParser.Parse(text.ToString(), "p");
            }
            catch (PolicyException e)
            {
                Assert.Matches(@"^p:\d+:\d+: ", e.Message);
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {seed}: {e}");
            }
        }
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "ARCHITECTURE.md")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }
}
