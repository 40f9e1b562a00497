using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>A run's port that tells a probe each call, in order.</summary>
internal sealed class RecordingPort(IActorRef probe) : IRunPort
{
    /// <summary>The stream of this target cannot be opened.</summary>
    public int? Broken { get; init; }

    public sealed record Opened(int Target) : INoSerializationVerificationNeeded;

    public sealed record Closed(int Target) : INoSerializationVerificationNeeded;

    public sealed record Told(RunEvent Happened) : INoSerializationVerificationNeeded;

    public static StreamTicket TicketOf(int target) => new($"http://127.0.0.1:{9000 + target}", ByteString.CopyFromUtf8($"ticket-{target}"));

    public StreamTicket Open(int target, string node)
    {
        if (target == Broken)
            throw new InvalidOperationException("There is no stream for this target.");
        probe.Tell(new Opened(target));
        return TicketOf(target);
    }

    public WantedImage? DefaultImage { get; init; }

    public Task<WantedImage?> DefaultImageAsync() => Task.FromResult(DefaultImage);

    public Task AdmitAsync(int number, RunTarget target, StartSession order) => Task.CompletedTask;

    public void Close(int target) => probe.Tell(new Closed(target));

    public void Tell(RunEvent happened) => probe.Tell(new Told(happened));
}
