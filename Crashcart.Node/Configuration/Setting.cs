namespace Crashcart.Node.Configuration;

/// <summary>
/// One setting of a daemon, under the same name as a flag (<c>--state-dir</c>), in the environment
/// (<c>CRASHCART_STATE_DIR</c>) and in the YAML file (<c>state-dir</c>).
/// </summary>
/// <param name="Name">Lower case, words joined by hyphens.</param>
/// <param name="Placeholder">What the value is, as the help shows it: <c>DIR</c>. Null for a switch.</param>
/// <param name="Description">One line for the help.</param>
public sealed record Setting(string Name, string? Placeholder, string Description)
{
    /// <summary>The value when nobody gives one.</summary>
    public string? Default { get; init; }

    /// <summary>May be given several times: a repeated flag, a YAML sequence, commas in the environment.</summary>
    public bool Repeats { get; init; }

    /// <summary>A variable of another program's that counts after our own: <c>DOCKER_HOST</c>.</summary>
    public string? ForeignVariable { get; init; }

    public bool IsSwitch => Placeholder is null;

    public string Flag => "--" + Name;

    public string Variable => "CRASHCART_" + Name.ToUpperInvariant().Replace('-', '_');
}
