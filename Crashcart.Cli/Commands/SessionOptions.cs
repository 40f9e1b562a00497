using System.CommandLine;
using Crashcart.Actors.Policies;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>The options of a session, shared by every command that runs a tool.</summary>
internal sealed class SessionOptions
{
    private readonly Option<string> _user = new("--user", "-u")
    {
        HelpName = "USER[:GROUP]",
        Description = "Who the tool runs as, by the container's own /etc/passwd, or numbers; root by default",
    };

    private readonly Option<string> _workingDirectory = new("--workdir", "-w")
    {
        HelpName = "DIR",
        Description = "Where the tool starts, in the container; / by default",
    };

    private readonly Option<string[]> _environment = new("--env", "-e")
    {
        HelpName = "NAME=VALUE",
        Description = "Add to the tool's environment, which has nothing of yours otherwise; may be repeated",
    };

    private readonly Option<string> _profile = new("--profile")
    {
        HelpName = "NAME",
        Description = "Capabilities: restricted (the container's own), debug (those and what debuggers need; the default), privileged (all), or one of the fleet's policy",
    };

    private readonly Option<string[]> _capAdd = new("--cap-add")
    {
        HelpName = "CAP",
        Description = "Add a capability to the profile; may be repeated",
    };

    private readonly Option<string[]> _capDrop = new("--cap-drop")
    {
        HelpName = "CAP",
        Description = "Take a capability from the profile; may be repeated",
    };

    private readonly Option<bool> _shared = new("--shared")
    {
        Description = "Mount the image where the whole container sees it, not for this tool alone",
    };

    private readonly Option<string> _memory = new("--memory")
    {
        HelpName = "SIZE",
        Description = "The most memory that the tool may use, like 512M or 1G",
    };

    private readonly Option<string> _cpus = new("--cpus")
    {
        HelpName = "N",
        Description = "The most processors that the tool may keep busy, like 0.5 or 2",
    };

    private readonly Option<string> _timeout = new("--timeout")
    {
        HelpName = "TIME",
        Description = "End the tool after this long, like 90s or 5m; the exit status is then 124",
    };

    private readonly Option<string> _reason = CommonOptions.Reason();

    private readonly Option<bool> _explain = new("--explain")
    {
        Description = "Run nothing: print the privileges that the tool would have, beside those of its container",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_user, _workingDirectory, _environment, _profile, _capAdd, _capDrop, _shared, _memory, _cpus, _timeout, _reason, _explain])
            command.Add(option);
    }

    /// <exception cref="CrashcartException">A value makes no sense.</exception>
    public SessionRequest Read(ParseResult parsed, IReadOnlyList<string> tool, bool terminal)
    {
        var environment = parsed.GetValue(_environment) ?? [];
        if (environment.FirstOrDefault(variable => variable.IndexOf('=', StringComparison.Ordinal) < 1) is { } malformed)
            throw Wrong($"'{SafeText.Of(malformed)}' is no value for --env: give NAME=VALUE.");
        if (tool is ["", ..])
            throw Wrong("The tool's name is empty; name a program of the toolbox or the container.");

        return new SessionRequest
        {
            Tool = tool,
            Terminal = terminal && !parsed.GetValue(_explain),
            Explain = parsed.GetValue(_explain),
            User = parsed.GetValue(_user),
            WorkingDirectory = parsed.GetValue(_workingDirectory),
            Environment = [.. SessionRequest.TerminalType(terminal), .. environment],
            Profile = parsed.GetValue(_profile) ?? PolicyProfile.Default,
            CapAdd = parsed.GetValue(_capAdd) ?? [],
            CapDrop = parsed.GetValue(_capDrop) ?? [],
            Shared = parsed.GetValue(_shared),
            Memory = parsed.GetValue(_memory) is { } memory ? Quantities.Bytes("--memory", memory) : null,
            NanoCpus = parsed.GetValue(_cpus) is { } cpus ? Quantities.NanoCpus("--cpus", cpus) : null,
            Reason = parsed.GetValue(_reason) ?? "",
            Timeout = parsed.GetValue(_timeout) is { } timeout ? Quantities.Duration("--timeout", timeout) : null,
        };
    }

    private static CrashcartException Wrong(string sentence) => new(FailureReason.BadRequest, sentence);
}
