using Crashcart.Api;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Output;
using Crashcart.Native;
using Grpc.Core;

namespace Crashcart.Cli.Remote;

/// <summary>Mounts in containers that a coordinator reaches.</summary>
internal static class RemoteMounts
{
    /// <summary>Whether a target is reached through the coordinator: NODE/CONTAINER, or whatever is named beside --coordinator.</summary>
    public static bool IsRemote(string target, string? coordinator) => coordinator is not null || target.Contains('/', StringComparison.Ordinal);

    /// <param name="coordinator">What --coordinator says, or null.</param>
    /// <param name="request">The containers.</param>
    /// <param name="isSelection">Each container is told of, and none is a status of its own.</param>
    /// <returns>The exit status.</returns>
    /// <exception cref="CrashcartException">The coordinator cannot be reached or refuses.</exception>
    public static async Task<int> MountAsync(string? coordinator, MountRequest request, bool isSelection)
    {
        using var client = new CoordinatorClient(Settings.Coordinator(coordinator));
        return Tell(await MountAsync(client, request, ImageWait.OnStandardError()), isSelection, _ => "mounted");
    }

    /// <inheritdoc cref="MountAsync"/>
    public static async Task<int> UnmountAsync(string? coordinator, UnmountRequest request, bool isSelection) =>
        Tell(
            await Listing.AskAsync(coordinator, client => client.Leases.UnmountAsync(request)),
            isSelection,
            mount => mount.WasMounted ? "unmounted" : "nothing was mounted");

    private static async Task<MountResponse> MountAsync(CoordinatorClient client, MountRequest request, ImageWait wait)
    {
        using var call = client.Leases.Mount(request);
        try
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                if (call.ResponseStream.Current is { Done: { } done })
                    return done;
                if (call.ResponseStream.Current is { Waits: { } waits })
                    wait.On(waits.Node, waits.Image, waits.Received, waits.Size);
            }
        }
        catch (RpcException e)
        {
            throw client.Explain(e);
        }
        finally
        {
            wait.Clear();
        }

        throw new CrashcartException(FailureReason.Unavailable, "The coordinator ended the request before it was answered; look at its log.");
    }

    internal static int Tell(MountResponse response, bool isSelection, Func<ChangedMount, string> done)
    {
        foreach (var mount in response.Mounts)
        {
            var name = ContainerName.Of(mount.Container);
            if (mount.Problem.Length > 0)
                StandardText.Complain(SafeText.Of($"{name}: {mount.Problem}"));
            else if (isSelection)
                StandardText.Output($"{name}: {done(mount)}\n");
            else if (!mount.WasMounted)
                StandardText.Complain($"Nothing of crashcart's is mounted in {name}.");
        }

        foreach (var silent in response.Unanswered)
            StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
        if (response.Unanswered.Count > 0 || response.Mounts.Any(mount => mount.Problem.Length > 0))
            return ExitStatus.Failed;
        if (response.Mounts.Count > 0)
            return ExitStatus.Success;
        StandardText.Complain("No container matched; 'crashcart ps' lists what runs.");
        return ExitStatus.NothingMatched;
    }
}
