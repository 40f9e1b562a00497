using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Images;

/// <summary>
/// Takes names from an image on every coordinator, and when it has none left, the image from coordinators and nodes. What is
/// in use stays until its last use.
/// </summary>
internal sealed class ImageRemoval(ImageDesk desk, TimeProvider time)
{
    private readonly RemoveImageResponse _done = new();
    private readonly Dictionary<string, string> _notReached = [];

    /// <exception cref="RpcException">There is no such image, or it has several names.</exception>
    public async Task<RemoveImageResponse> RunAsync(ImageReference reference, bool force, CancellationToken cancellation)
    {
        IReadOnlyList<NodeStatus> nodes = await desk.NodesAsync(cancellation);
        var (images, silent) = await desk.FindAsync("", found => Find(reference, found, nodes, out _) is not null, cancellation);
        Note(silent);
        ImageDigest digest = Find(reference, images, nodes, out string problem)
            ?? throw new RpcException(new Status(StatusCode.NotFound, problem + ImageDesk.Others(silent)));
        IReadOnlyList<NameRecord> names = images.Names.Of(digest);
        List<NameRecord> going = [.. names.Where(record => reference is not ImageReference.Named named || record.Name == named.Name)];
        if (going.Count > 1 && !force)
            throw new RpcException(new Status(
                StatusCode.FailedPrecondition,
                $"Image {digest.Abbreviated} has the names {string.Join(", ", going.Select(record => record.Name))}: remove one by its name, or all with --force."));

        foreach (NameRecord record in going)
            await Untag(record, images.Names, cancellation);
        if (going.Count == names.Count)
            await Drop(digest, nodes, cancellation);
        _done.Unanswered.Add(_notReached.Select(one => new Unanswered { Node = one.Key, Message = one.Value }));
        return _done;
    }

    private static ImageDigest? Find(ImageReference reference, FleetImages images, IReadOnlyList<NodeStatus> nodes, out string problem)
    {
        problem = "";
        // A name goes even if nobody has what it leads to.
        if (reference is ImageReference.Named named && images.Names.Find(named.Name) is { Digest: { } meant })
            return meant;
        if (images.Resolve(reference, out problem) is { } image)
            return image.Digest;
        if (reference is ImageReference.Digest prefix)
        {
            List<ImageDigest> fetched =
            [
                .. nodes.SelectMany(node => node.Description?.Images ?? [])
                    .Select(held => !held.Own && ImageDigest.TryParse(held.Digest, out ImageDigest digest) ? digest : (ImageDigest?)null)
                    .OfType<ImageDigest>().Where(prefix.Matches).Distinct(),
            ];
            if (fetched is [var only])
                return only;
        }

        return null;
    }

    private async Task Untag(NameRecord record, NameBook known, CancellationToken cancellation)
    {
        NameRecord removal = record with { Digest = null, UnixMs = known.MomentFor(record.Name, time.GetUtcNow().ToUnixTimeMilliseconds()) };
        FleetImagesActor.Answers answers = await desk.AskCoordinators(
            id => new RecordImageName { CorrelationId = id, Record = removal.ToWire() }, cancellation);
        Note(answers.Silent);
        foreach (var (address, answer) in answers.All)
            Note(FleetImagesActor.NameOf(address), ((ImageNameRecorded)answer).Problem);
        _done.Untagged.Add(record.Name.Value);
    }

    private async Task Drop(ImageDigest digest, IReadOnlyList<NodeStatus> nodes, CancellationToken cancellation)
    {
        IQuestion Question(string id) => new DropImage { CorrelationId = id, Digest = digest.ToString() };
        // Nodes first: one may share its directory with a coordinator, and lets the image go only when it is asked itself.
        Dictionary<Address, string> reachable = nodes.Where(node => node.Description is not null).ToDictionary(node => node.Address, node => node.Name);
        FleetImagesActor.Answers answered = await desk.AskNodes([.. reachable.Keys], Question, cancellation);
        foreach (var (address, answer) in answered.All)
            Note(reachable[address], (ImageDropped)answer);
        foreach (var (address, name) in reachable.Where(node => !answered.All.ContainsKey(node.Key)))
            Note(name, answered.Silent.First(silent => silent.Node == FleetImagesActor.NameOf(address)).Problem);
        foreach (NodeStatus node in nodes.Where(node => node.Description is null))
            Note(node.Name, node.Problem);

        FleetImagesActor.Answers coordinators = await desk.AskCoordinators(Question, cancellation);
        Note(coordinators.Silent);
        foreach (var (address, answer) in coordinators.All)
            Note(FleetImagesActor.NameOf(address), (ImageDropped)answer);
        _done.Removed = digest.ToString();
    }

    private void Note(string holder, ImageDropped dropped)
    {
        if (dropped.Users.Count > 0)
            _done.Uses.Add(new ImageUse { Node = holder, Users = { dropped.Users } });
        Note(holder, dropped.Problem);
    }

    private void Note(IEnumerable<SilentNode> silent)
    {
        foreach (SilentNode one in silent)
            Note(one.Node, one.Problem);
    }

    private void Note(string who, string problem)
    {
        if (problem.Length > 0)
            _notReached[who] = problem;
    }
}
