using System.CommandLine;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Native;
using Grpc.Core;

namespace Crashcart.Cli.Commands;

/// <summary>What the listings have in common.</summary>
internal static class Listing
{
    /// <summary>Asks the coordinator.</summary>
    /// <exception cref="CrashcartException">It cannot be reached, or refuses.</exception>
    public static async Task<T> AskAsync<T>(string? coordinator, Func<CoordinatorClient, AsyncUnaryCall<T>> question)
    {
        using var client = new CoordinatorClient(Settings.Coordinator(coordinator));
        try
        {
            return await question(client);
        }
        catch (RpcException e)
        {
            throw client.Explain(e);
        }
    }

    /// <summary>Whether <c>--output</c> asks for more columns, where it can.</summary>
    public static bool IsWide(ParseResult parsed, Option<string> format) => parsed.GetValue(format) == "wide" && CanBeWide(format);

    /// <summary>Whether <c>--output</c> asks for JSON.</summary>
    /// <exception cref="CrashcartException">It asks for something else.</exception>
    public static bool IsJson(ParseResult parsed, Option<string> format) => parsed.GetValue(format) switch
    {
        null or "table" => false,
        "wide" when CanBeWide(format) => false,
        "json" => true,
        var other => throw new CrashcartException(
            FailureReason.BadRequest, $"'{SafeText.Of(other)}' is no value for --output: give {(CanBeWide(format) ? "table, wide" : "table")} or json."),
    };

    private static bool CanBeWide(Option<string> format) => format.HelpName!.Contains("wide", StringComparison.Ordinal);
}
