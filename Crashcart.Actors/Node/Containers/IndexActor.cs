using Akka.Actor;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Node.Containers;

/// <summary>
/// Owns what coordinators are told of the node's containers, so that they leave the node alone when it has none of those that they
/// look for; and who is told.
/// </summary>
internal sealed class IndexActor : ReceiveActor, IWithTimers
{
    /// <summary>Far more coordinators than a fleet has; others ask the node each time.</summary>
    private const int MostReaders = 64;

    /// <summary>Three times as long as a coordinator takes to ask again.</summary>
    private static readonly TimeSpan ReaderPatience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<IActorRef, ByteString> _readers = [];
    private ContainerIndex? _index;

    public IndexActor()
    {
        Receive<IndexContainers>(OnWish);
        Receive<Now>(OnNow);
        Receive<ReaderLeft>(left => _readers.Remove(left.Reader));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>From the parent.</summary>
    /// <param name="Index">Null: not all that runs is known.</param>
    public sealed record Now(ContainerIndex? Index) : ILocalMessage;

    private sealed record ReaderLeft(IActorRef Reader) : ILocalMessage;

    public static Props Props() => Akka.Actor.Props.Create(() => new IndexActor());

    private void OnWish(IndexContainers wish)
    {
        if (!_readers.ContainsKey(Sender) && _readers.Count == MostReaders)
            return;
        _readers[Sender] = wish.Ticket;
        Timers.StartSingleTimer(Sender, new ReaderLeft(Sender), ReaderPatience);
        Tell(Sender);
    }

    private void OnNow(Now now)
    {
        if (Equals(now.Index, _index))
            return;
        _index = now.Index;
        foreach (var reader in _readers.Keys)
            Tell(reader);
    }

    private void Tell(IActorRef reader) => reader.Tell(new ContainersIndexed { Ticket = _readers[reader], Index = _index });
}
