namespace Crashcart.Actors;

/// <summary>The text of a selector is wrong; the message says where and what was expected.</summary>
internal sealed class SelectorException(string message) : Exception(message);

/// <summary>Reads a selector from left to right, and knows at which character it stands.</summary>
internal sealed class SelectorParser(string text)
{
    private int _at;

    public IReadOnlyList<Selector.Requirement> Parse()
    {
        var requirements = new List<Selector.Requirement>();
        SkipSpace();
        if (_at == text.Length)
            return requirements;
        while (true)
        {
            requirements.Add(ParseRequirement());
            SkipSpace();
            if (_at == text.Length)
                return requirements;
            Expect(',', "',' or the end");
        }
    }

    private Selector.Requirement ParseRequirement()
    {
        SkipSpace();
        if (Take('!'))
            return new Selector.Requirement(ParseKey(), Negated: true, Values: null);
        string key = ParseKey();
        SkipSpace();
        if (_at == text.Length || text[_at] == ',')
            return new Selector.Requirement(key, Negated: false, Values: null);
        if (Take('='))
        {
            Take('=');
            return new Selector.Requirement(key, Negated: false, [ParseValue()]);
        }
        if (Take('!'))
        {
            Expect('=', "'=' after '!'");
            return new Selector.Requirement(key, Negated: true, [ParseValue()]);
        }
        return ParseSet(key);
    }

    private Selector.Requirement ParseSet(string key)
    {
        int start = _at;
        string word = TakeWord();
        if (word is not ("in" or "notin"))
            throw Wrong(start, "'=', '==', '!=', 'in', 'notin', ',' or the end");
        SkipSpace();
        Expect('(', $"'(' after '{word}'");
        var values = new List<string>();
        do
            values.Add(ParseValue());
        while (Take(','));
        Expect(')', "',' or ')'");
        return new Selector.Requirement(key, word == "notin", values);
    }

    /// <summary>[PREFIX/]NAME; Docker's labels are freer than those of Kubernetes, so only the syntax's own characters are excluded.</summary>
    private string ParseKey()
    {
        SkipSpace();
        int start = _at;
        string key = TakeWord();
        return key.Length > 0 ? key : throw Wrong(start, "a label's name");
    }

    /// <summary>A value may be empty, as in <c>app=</c>.</summary>
    private string ParseValue()
    {
        SkipSpace();
        string value = TakeWord();
        SkipSpace();
        return value;
    }

    private string TakeWord()
    {
        int start = _at;
        while (_at < text.Length && IsWordCharacter(text[_at]))
            _at++;
        return text[start.._at];
    }

    private static bool IsWordCharacter(char c) => !char.IsWhiteSpace(c) && !char.IsControl(c) && !"=!,()".Contains(c, StringComparison.Ordinal);

    private bool Take(char c)
    {
        if (_at == text.Length || text[_at] != c)
            return false;
        _at++;
        return true;
    }

    private void Expect(char c, string expected)
    {
        if (!Take(c))
            throw Wrong(_at, expected);
    }

    private void SkipSpace()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            _at++;
    }

    private SelectorException Wrong(int at, string expected)
    {
        string found = at == text.Length ? "the end" : $"'{Printable(text[at])}'";
        return new SelectorException($"at character {at + 1}: found {found}, expected {expected}");
    }

    private static string Printable(char c) => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString();
}
