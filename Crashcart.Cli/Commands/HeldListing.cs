using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>What the listings of what is held have in common.</summary>
internal static class HeldListing
{
    private const int ShortId = 12;

    /// <param name="name">Of the command.</param>
    /// <param name="description">Its help.</param>
    /// <param name="print">Makes the table or the JSON of the answer.</param>
    public static Command Create(string name, string description, Func<ListLeasesResponse, bool, string> print)
    {
        var command = new Command(name, description);
        var label = CommonOptions.Label();
        var node = CommonOptions.Node();
        var format = CommonOptions.Format();
        var coordinator = CommonOptions.Coordinator();
        command.Add(label);
        command.Add(node);
        command.Add(format);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var isJson = Listing.IsJson(parsed, format);
            var request = new ListLeasesRequest { Selector = CommonOptions.Join(parsed.GetValue(label)), Node = parsed.GetValue(node) ?? "" };
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Leases.ListLeasesAsync(request));
            StandardText.Output(print(answer, isJson));
            foreach (var silent in answer.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            return answer.Unanswered.Count > 0 ? ExitStatus.Failed : ExitStatus.Success;
        });
        return command;
    }

    /// <summary>A container by its name, or the beginning of its id, or the process in it.</summary>
    public static string NameOf(string name, string id, int pid) => name switch
    {
        { Length: > 0 } => name,
        _ when id.Length > 0 => id[..Math.Min(ShortId, id.Length)],
        _ => $"pid {pid}",
    };

    /// <summary>How long ago, or a dash for never.</summary>
    public static string Age(long sinceUnixMs, DateTimeOffset now) =>
        sinceUnixMs == 0 ? "-" : PsCommand.Age(now - DateTimeOffset.FromUnixTimeMilliseconds(sinceUnixMs));

    /// <summary>sha256:HEX, as short as docker(1) prints ids.</summary>
    public static string Digest(string digest)
    {
        var hex = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return OrDash(hex[..Math.Min(ShortId, hex.Length)]);
    }

    public static string OrDash(string text) => text.Length > 0 ? text : "-";
}
