namespace Crashcart.Actors.Tests;

public sealed class SelectorTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("  \t ", "", true)]
    [InlineData("app=web", "app=web", true)]
    [InlineData("app=web", "app=db", false)]
    [InlineData("app=web", "", false)]
    [InlineData("app=web", "APP=web", false)]
    [InlineData("app=web", "app=Web", false)]
    [InlineData("app==web", "app=web", true)]
    [InlineData("app==web", "app=db", false)]
    [InlineData("app!=web", "app=db", true)]
    [InlineData("app!=web", "app=web", false)]
    [InlineData("env in (a,b)", "env=a", true)]
    [InlineData("env in (a,b)", "env=b", true)]
    [InlineData("env in (a,b)", "env=c", false)]
    [InlineData("env in (a)", "env=a", true)]
    [InlineData("env notin (a,b)", "env=c", true)]
    [InlineData("env notin (a,b)", "env=b", false)]
    [InlineData("canary", "canary=", true)]
    [InlineData("canary", "canary=no", true)]
    [InlineData("canary", "app=web", false)]
    [InlineData("!canary", "app=web", true)]
    [InlineData("!canary", "canary=", false)]
    public void Each_operator_means_what_it_means_in_Kubernetes(string selector, string labels, bool selected) =>
        Assert.Equal(selected, Parse(selector).Matches(Labels(labels)));

    [Theory]
    [InlineData("app!=web")]
    [InlineData("app notin (web)")]
    [InlineData("!app")]
    public void An_absent_label_satisfies_only_the_negated_operators(string selector) =>
        Assert.True(Parse(selector).Matches(Labels("tier=front")));

    [Theory]
    [InlineData("app=")]
    [InlineData("app==")]
    [InlineData("app in ()")]
    [InlineData("app in (,web)")]
    [InlineData("app in (web,)")]
    public void A_value_may_be_empty(string selector)
    {
        Assert.True(Parse(selector).Matches(Labels("app=")));
        Assert.False(Parse(selector).Matches(Labels("tier=front")));
    }

    [Theory]
    [InlineData("app=web,tier!=db,env in (a,b),!canary", "app=web;env=a", true)]
    [InlineData("app=web,tier!=db,env in (a,b),!canary", "app=web;env=a;tier=db", false)]
    [InlineData("app=web,tier!=db,env in (a,b),!canary", "app=web;env=a;canary=", false)]
    [InlineData("app=web,tier!=db,env in (a,b),!canary", "app=web", false)]
    [InlineData("app=web,app=db", "app=web", false)]
    public void All_requirements_must_hold(string selector, string labels, bool selected) =>
        Assert.Equal(selected, Parse(selector).Matches(Labels(labels)));

    [Theory]
    [InlineData(" app = web , env  in ( a , b ) , ! canary ")]
    [InlineData("app=web,env in(a,b),!canary")]
    [InlineData("\tapp\t==\tweb,\tenv in (a,\tb)\n,!canary")]
    public void Space_is_free_around_every_part(string selector) =>
        Assert.True(Parse(selector).Matches(Labels("app=web;env=b")));

    [Theory]
    [InlineData("app.kubernetes.io/name=web", "app.kubernetes.io/name=web")]
    [InlineData("com.docker.compose.service in (web-1)", "com.docker.compose.service=web-1")]
    [InlineData("example.com/a_b-c.d", "example.com/a_b-c.d=")]
    [InlineData("version=1.2.3-rc_1", "version=1.2.3-rc_1")]
    public void Names_have_prefixes_dots_dashes_and_underscores(string selector, string labels) =>
        Assert.True(Parse(selector).Matches(Labels(labels)));

    [Theory]
    [InlineData("in=a", "in=a")]
    [InlineData("notin notin (a)", "notin=b")]
    [InlineData("in in (in)", "in=in")]
    [InlineData("!in", "notin=")]
    [InlineData("in", "in=")]
    [InlineData("index=1", "index=1")]
    public void The_operators_words_are_names_and_values_too(string selector, string labels) =>
        Assert.True(Parse(selector).Matches(Labels(labels)));

    [Theory]
    [InlineData("=web", 1, "'='", "a label's name")]
    [InlineData(",", 1, "','", "a label's name")]
    [InlineData("app=web,", 9, "the end", "a label's name")]
    [InlineData("app=web,,env=a", 9, "','", "a label's name")]
    [InlineData("!", 2, "the end", "a label's name")]
    [InlineData("!!app", 2, "'!'", "a label's name")]
    [InlineData("!app=web", 5, "'='", "',' or the end")]
    [InlineData("app!web", 5, "'w'", "'=' after '!'")]
    [InlineData("app!", 5, "the end", "'=' after '!'")]
    [InlineData("app=web db", 9, "'d'", "',' or the end")]
    [InlineData("app===web", 6, "'='", "',' or the end")]
    [InlineData("app is web", 5, "'i'", "'=', '==', '!=', 'in', 'notin', ',' or the end")]
    [InlineData("app (a)", 5, "'('", "'=', '==', '!=', 'in', 'notin', ',' or the end")]
    [InlineData("app In (a)", 5, "'I'", "'=', '==', '!=', 'in', 'notin', ',' or the end")]
    [InlineData("env in", 7, "the end", "'(' after 'in'")]
    [InlineData("env notin a", 11, "'a'", "'(' after 'notin'")]
    [InlineData("env in (a", 10, "the end", "',' or ')'")]
    [InlineData("env in (a b)", 11, "'b'", "',' or ')'")]
    [InlineData("env in (a=b)", 10, "'='", "',' or ')'")]
    [InlineData("env in (a))", 11, "')'", "',' or the end")]
    [InlineData("app=a\u0007", 6, "'\\u0007'", "',' or the end")]
    public void A_problem_names_the_character_and_what_was_expected(string selector, int character, string found, string expected)
    {
        Assert.False(Selector.TryParse(selector, out _, out string problem));

        Assert.Equal($"at character {character}: found {found}, expected {expected}", problem);
    }

    [Fact]
    public void No_text_makes_the_parser_throw()
    {
        const string Alphabet = "ab./-_=!,() \t\0\u00a0\u2028\ud83dé'\"";
        string[] words = ["app", "in", "notin", "==", "!=", "(", ")", ",", "!", " ", "=web"];
        var random = new Random(20240229);
        for (int round = 0; round < 20_000; round++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(2) == 0
                ? words[random.Next(words.Length)]
                : Alphabet[random.Next(Alphabet.Length)].ToString()));

            bool parsed = Selector.TryParse(text, out Selector selector, out string problem);

            Assert.Equal(parsed, problem.Length == 0);
            Assert.NotNull(selector);
            if (!parsed)
                Assert.Matches(@"^at character [0-9]+: found .+, expected .+$", problem);
        }
    }

    private static Selector Parse(string text)
    {
        Assert.True(Selector.TryParse(text, out Selector selector, out string problem), problem);
        return selector;
    }

    /// <param name="text">KEY=VALUE, separated by semicolons.</param>
    private static Dictionary<string, string> Labels(string text) => text
        .Split(';', StringSplitOptions.RemoveEmptyEntries)
        .Select(label => label.Split('=', 2))
        .ToDictionary(label => label[0], label => label[1]);
}
