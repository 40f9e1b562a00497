using System.CommandLine;
using Crashcart.Actors.Policies;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Local;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart exec</c>: one tool in one target, here or through the coordinator.</summary>
internal static class ExecCommand
{
    /// <summary>What runs when nothing is named.</summary>
    public static readonly IReadOnlyList<string> Shell = ["bash"];

    public static Command Create()
    {
        var command = new Command("exec", """
            Run a tool of the toolbox in one container.

            TARGET is a PID, a Docker container's name or the beginning of its id, the beginning of any
            container's id, or NODE/CONTAINER. The last goes through the coordinator, as every target does with
            --coordinator; for the others no daemon is needed.

            TOOL is looked up in the toolbox, then in the container's PATH; without one it is an interactive
            bash. From TOOL on every word is the tool's, with or without --.

            The exit status is the tool's; see 'crashcart --help' for crashcart's own.
            """);
        var target = new Argument<string>("TARGET");
        var tool = new ToolArgument("TOOL ARGS…", required: false);
        var terminal = new Option<bool>("--terminal", "-t") { Description = "Give the tool a terminal; the default when standard input and output are one" };
        var noTerminal = new Option<bool>("--no-terminal", "-T") { Description = "Give the tool no terminal" };
        var image = CommonOptions.AnyImage();
        var session = new SessionOptions();
        var detach = CommonOptions.Detach();
        var host = new Option<bool>("--host") { Description = "Allow a process of the host itself, that is in no container" };
        var coordinator = CommonOptions.Coordinator();
        command.Add(target);
        command.Add(tool);
        command.Add(terminal);
        command.Add(noTerminal);
        command.Add(image);
        session.AddTo(command);
        command.Add(detach);
        command.Add(host);
        command.Add(coordinator);

        command.SetAction((parsed, _) =>
        {
            if (parsed.GetValue(terminal) && parsed.GetValue(noTerminal))
                throw new CrashcartException(FailureReason.BadRequest, "Options --terminal and --no-terminal exclude each other; give one of them.");
            var isDetached = parsed.GetValue(detach);
            if (isDetached)
                CheckDetached(parsed.GetValue(terminal), parsed.GetValue(tool));
            var withTerminal = !isDetached && (parsed.GetValue(terminal) || (!parsed.GetValue(noTerminal) && HasTerminal()));
            var words = parsed.GetValue(tool) is { Length: > 0 } named ? named : Shell;
            var request = session.Read(parsed, words, withTerminal);
            var name = parsed.GetValue(target)!;
            if (parsed.GetValue(coordinator) is null && !name.Contains('/', StringComparison.Ordinal))
            {
                if (isDetached)
                    throw Wrong("--detach needs a node that keeps the tool's output: give NODE/CONTAINER, or --coordinator.");
                return RunHereAsync(name, ImageNames.Here(parsed.GetValue(image)), parsed.GetValue(host), request, say: null);
            }

            if (parsed.GetValue(host))
                throw new CrashcartException(
                    FailureReason.BadRequest, $"Option --host is for targets on this host, and '{name}' is reached through the coordinator; leave it out.");
            var (fleetImage, address) = (ImageNames.InFleet(parsed.GetValue(image)), Settings.Coordinator(parsed.GetValue(coordinator)));
            return isDetached
                ? DetachedRun.StartAsync(
                    new RunRequest
                    {
                        Container = name,
                        Image = fleetImage,
                        Tool = request.ToTool(default, stdin: false),
                        TimeoutMs = (ulong)(request.Timeout?.TotalMilliseconds ?? 0),
                    },
                    address)
                : RunThereAsync(name, fleetImage, address, request);
        });
        return command;
    }

    private static void CheckDetached(bool terminal, string[]? tool)
    {
        if (terminal)
            throw Wrong("A tool that is left alone has nobody at its terminal: give --detach or --terminal.");
        if (tool is not { Length: > 0 })
            throw Wrong("A shell that is left alone has nothing to do: name a tool after --detach.");
    }

    private static CrashcartException Wrong(string sentence) => new(FailureReason.BadRequest, sentence);

    /// <summary>Whether the person sits at a terminal, and so the tool gets one by default.</summary>
    public static bool HasTerminal() => UserTerminal.IsTerminal(0) && UserTerminal.IsTerminal(1);

    /// <param name="name">PID or container.</param>
    /// <param name="imageFlag">The image that the command line names, or null.</param>
    /// <param name="allowHost">Accept a process in the host's own mount namespace.</param>
    /// <param name="request">What to run.</param>
    /// <param name="say">Takes sentences about what is done, when the person wants them.</param>
    public static async Task<int> RunHereAsync(string name, string? imageFlag, bool allowHost, SessionRequest request, Action<string>? say)
    {
        // Policies are coordinators', and with them all other profiles.
        if (!PolicyProfile.BuiltIn.Contains(request.Profile))
            throw Wrong($"There is no profile '{SafeText.Of(request.Profile)}'; it is one of {string.Join(", ", PolicyProfile.BuiltIn)}.");
        Root.Require("exec");
        using var target = (await LocalTarget.FindAsync(name)).Open(allowHost);
        if (request.Explain)
        {
            StandardText.Output(ToolPrivileges.Explain(target, request.ToSpec(default)));
            return ExitStatus.Success;
        }
        using var image = AttachedImage.Attach(Settings.Image(imageFlag));
        say?.Invoke($"Running {request.Tool[0]} beside process {target.Pid}, from {image.Path} ({image.FileSystem} on {image.LoopDevice}).");
        return await LocalSession.RunAsync(target, image, request);
    }

    private static async Task<int> RunThereAsync(string name, string image, CoordinatorAddress address, SessionRequest request)
    {
        using var client = new CoordinatorClient(address);
        return await RemoteSession.RunAsync(client, name, image, request);
    }
}
