using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;
using Grpc.Core;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart completion</c>: what makes a shell complete the words of <c>crashcart</c>.</summary>
internal static class CompletionCommand
{
    /// <summary>The first word by which the scripts ask for what may follow; no command, and no container's name.</summary>
    public const string Question = "__complete";

    /// <summary>A shell that waits for longer is in its user's way.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Command Create()
    {
        var command = new Command("completion", """
            Print a script by which a shell completes commands, options, nodes, containers and runs.

            Names come from the coordinator, when it answers within 3 s.

            bash:  source <(crashcart completion bash)                        in ~/.bashrc
            zsh:   source <(crashcart completion zsh)                         in ~/.zshrc, after compinit
            fish:  crashcart completion fish >~/.config/fish/completions/crashcart.fish
            """);
        foreach (var (shell, script) in Scripts)
        {
            var print = new Command(shell, $"Print the script for {shell}.");
            print.SetAction(_ => StandardText.Output(script));
            command.Add(print);
        }

        return command;
    }

    /// <summary>Answers a script: a line for each word that may stand in the place of the last.</summary>
    public static async Task<int> AnswerAsync(IReadOnlyList<string> words)
    {
        foreach (var word in await Completion.Of(words is [] ? [""] : words, NamesAsync))
            StandardText.Output(word + "\n");
        return ExitStatus.Success;
    }

    private static async Task<IEnumerable<string>> NamesAsync(string kind, string? coordinator)
    {
        try
        {
            return kind switch
            {
                "NODE" => (await Ask(coordinator, (api, options) => api.Fleet.ListNodesAsync(new ListNodesRequest(), options))).Nodes.Select(node => node.Name),
                "NODE/CONTAINER" or "TARGET" or "FROM" or "TO" =>
                    (await Ask(coordinator, (api, options) => api.Fleet.ListContainersAsync(new ListContainersRequest(), options)))
                    .Containers.Select(container => $"{container.Node}/{container.Name}{(kind is "FROM" or "TO" ? ":" : "")}"),
                "RUN" or "RUN…" => (await Ask(coordinator, (api, options) => api.Runs.ListRunsAsync(new ListRunsRequest(), options))).Runs.Select(run => run.RunId),
                "SESSION|RUN" => (await Ask(coordinator, (api, options) => api.Leases.ListLeasesAsync(new ListLeasesRequest(), options)))
                    .Sessions.SelectMany(session => (string[])[session.SessionId, session.RunId]),
                _ => [],
            };
        }
        catch (Exception e) when (e is RpcException or CrashcartException)
        {
            // Nobody asked in words: the shell goes on without names.
            return [];
        }
    }

    private static async Task<T> Ask<T>(string? coordinator, Func<CoordinatorClient, CallOptions, AsyncUnaryCall<T>> question)
    {
        using var client = new CoordinatorClient(Settings.Coordinator(coordinator));
        return await question(client, new CallOptions(deadline: DateTime.UtcNow + Patience));
    }

    private static readonly (string Shell, string Script)[] Scripts =
    [
        ("bash", $$$"""
            # bash splits words at '=' and ':'; what it calls one word is told from the line.
            _crashcart() {
              local line=${COMP_LINE:0:COMP_POINT} word=${COMP_WORDS[COMP_CWORD]} begun found
              local -a words
              read -r -a words <<<"$line"
              [[ $line != *[[:space:]] ]] || words+=("")
              begun=${words[-1]}
              COMPREPLY=()
              while IFS= read -r found; do
                COMPREPLY+=("${found:${#begun}-${#word}}")
              done < <(crashcart {{{Question}}} "${words[@]:1}" 2>/dev/null)
              [[ ${COMPREPLY[0]-} != *: ]] || compopt -o nospace
            }
            complete -o default -F _crashcart crashcart

            """),
        ("zsh", $$$"""
            #compdef crashcart
            _crashcart() {
              local -a found
              found=(${(f)"$(crashcart {{{Question}}} "${(@)words[2,CURRENT]}" 2>/dev/null)"})
              if (( $#found )); then
                compadd -- $found
              else
                _files
              fi
            }
            compdef _crashcart crashcart

            """),
        ("fish", $$$"""
            function __crashcart_complete
              set -l words (commandline -opc) (commandline -ct)
              set -l found (crashcart {{{Question}}} $words[2..] 2>/dev/null)
              if set -q found[1]
                printf '%s\n' $found
              else
                __fish_complete_path (commandline -ct)
              end
            end
            complete -c crashcart -f -a '(__crashcart_complete)'

            """),
    ];
}
