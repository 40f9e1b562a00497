using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Policies;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>The client's API on recordings, whichever coordinator has them.</summary>
internal sealed class RecordingsService(FleetGate fleet, PolicyGate policy) : Crashcart.Api.Recordings.RecordingsBase
{
    /// <summary>More than the actors' patience with coordinators, so that a silence is told as such.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    public override async Task<ListRecordingsResponse> ListRecordings(ListRecordingsRequest request, ServerCallContext context)
    {
        var found = await FindAsync(
            new FindRecordings { User = request.User, Target = request.Target, SinceUnixMs = request.SinceUnixMs }, context.CancellationToken);
        return new ListRecordingsResponse
        {
            Recordings =
            {
                found.Answers.Values.SelectMany(answer => answer.Recordings).Where(one => MayRead(one, context))
                    .OrderByDescending(one => one.StartedUnixMs).Select(ToApi),
            },
            Unanswered = { Silent(found).Select(ApiMapping.ToApi) },
            // Whoever may read some of them does not learn how many others there are.
            LeftOut = policy.Allows(PolicyGate.Question(context, PolicyVerb.Recordings)) ? (uint)found.Answers.Values.Sum(answer => answer.LeftOut) : 0,
        };
    }

    public override async Task ReadRecording(ReadRecordingRequest request, IServerStreamWriter<RecordingPart> toClient, ServerCallContext context)
    {
        if (request.Id.Length == 0)
            throw RunMapping.Invalid("Name a recording; 'crashcart recordings ls' lists them.");
        var found = await FindAsync(new FindRecordings { Id = request.Id, Audited = true }, context.CancellationToken);
        (Address coordinator, RecordingDescription meant) = Choose(found, request.Id, context);
        await toClient.WriteAsync(new RecordingPart { Info = ToApi(meant) }, context.CancellationToken);
        for (long offset = 0; ;)
        {
            var part = await fleet.AskRecordings<RecordingRead>(
                new RecordingQuery.Read(coordinator, new ReadRecording { Id = meant.Id, Offset = offset }), Patience, context.CancellationToken);
            if (part.Problem.Length > 0)
                throw new RpcException(new Status(StatusCode.Unavailable, part.Problem));
            if (part.Data.IsEmpty)
                return;
            offset += part.Data.Length;
            await toClient.WriteAsync(new RecordingPart { Data = part.Data }, context.CancellationToken);
        }
    }

    /// <summary>The one that the text means, of those that the caller may read.</summary>
    private (Address Coordinator, RecordingDescription Meant) Choose(RecordingQuery.Found found, string id, ServerCallContext context)
    {
        List<(Address, RecordingDescription Meant)> readable =
            [.. found.Answers.SelectMany(answer => answer.Value.Recordings.Where(one => MayRead(one, context)).Select(one => (answer.Key, one)))];
        if (readable.Where(one => one.Meant.Id == id).ToList() is [var exact])
            return exact;
        return (readable, Silent(found)) switch
        {
            ([var one], _) => one,
            ([], []) => throw new RpcException(new Status(StatusCode.NotFound, $"There is no recording '{id}'; 'crashcart recordings ls' lists them.")),
            ([], [var silent, ..]) => throw new RpcException(new Status(
                StatusCode.Unavailable, $"There is no recording '{id}' as far as is known; not every coordinator could say. {silent.Node}: {silent.Problem}")),
            _ => throw RunMapping.Invalid(
                $"'{id}' is the beginning of {readable.Count} recordings: {string.Join(", ", readable.Take(5).Select(one => one.Meant.Id))}; write more of it."),
        };
    }

    private bool MayRead(RecordingDescription one, ServerCallContext context) =>
        policy.Allows(PolicyGate.Question(context, PolicyVerb.Recordings) with { Node = one.Node });

    private Task<RecordingQuery.Found> FindAsync(FindRecordings find, CancellationToken cancellation) =>
        fleet.AskRecordings<RecordingQuery.Found>(new RecordingQuery.Find(find), Patience, cancellation);

    private static IReadOnlyList<SilentNode> Silent(RecordingQuery.Found found) =>
    [
        .. found.Silent,
        .. found.Answers.Where(answer => answer.Value.Problem.Length > 0)
            .Select(answer => new SilentNode(FleetImagesActor.NameOf(answer.Key), $"Its recordings could not be read: {answer.Value.Problem}")),
    ];

    private static RecordingInfo ToApi(RecordingDescription one) => new()
    {
        Id = one.Id,
        User = one.User,
        StartedUnixMs = one.StartedUnixMs,
        Node = one.Node,
        Container = one.Container,
        ContainerId = one.ContainerId,
        Command = one.Command,
        Terminal = one.Terminal,
        Input = one.Input,
        LengthMs = one.LengthMs,
        Size = one.Size,
        State = one.State,
        AuditedSha256 = one.AuditedSha256,
    };
}
