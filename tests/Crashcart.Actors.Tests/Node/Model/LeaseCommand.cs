using CsCheck;

namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>One thing that happens to the owners of leases, or around them.</summary>
internal abstract record LeaseCommand
{
    public const int Holders = 4;

    public const int Containers = 2;

    public const int StoredImages = 2;

    private LeaseCommand()
    {
    }

    private static Gen<int> AnyHolder => Gen.Int[0, Holders - 1];

    private static Gen<int> AnyStored => Gen.Int[0, StoredImages - 1];

    private static Gen<int> AnyContainer => Gen.Int[0, Containers - 1];

    /// <summary>A course of events; what is outside completes about as often as something begins.</summary>
    public static Gen<LeaseCommand[]> Courses { get; } = Gen.Frequency(
        (4, Gen.Select(AnyHolder, AnyContainer, LeaseCommand (holder, container) => new AcquireImage(holder, container))),
        (6, Gen.Select(AnyHolder, AnyContainer, LeaseCommand (holder, container) => new AcquireMount(holder, container))),
        (5, Gen.Select(AnyHolder, AnyStored, AnyContainer, LeaseCommand (holder, image, container) => new AcquireStored(holder, image, container))),
        (3, AnyStored.Select(LeaseCommand (image) => new DropStored(image))),
        (5, Gen.Select(AnyHolder, AnyContainer, LeaseCommand (holder, container) => new MountForPerson(holder, container))),
        (3, Gen.Select(AnyHolder, AnyContainer, LeaseCommand (holder, container) => new UnmountForPerson(holder, container))),
        (1, Gen.Const(LeaseCommand () => new Reconcile())),
        (7, AnyHolder.Select(LeaseCommand (holder) => new Release(holder))),
        (3, AnyHolder.Select(LeaseCommand (holder) => new Die(holder))),
        (16, Gen.Int[0, 7].Select(LeaseCommand (which) => new Finish(which, Succeeds: true))),
        (3, Gen.Int[0, 7].Select(LeaseCommand (which) => new Finish(which, Succeeds: false))),
        (1, AnyContainer.Select(LeaseCommand (container) => new Exit(container))),
        (1, AnyContainer.Select(LeaseCommand (container) => new Restart(container))),
        (1, Gen.Const(LeaseCommand () => new ReplaceImage())),
        (2, Gen.Const(LeaseCommand () => new Wait())),
        (1, Gen.Bool.Select(LeaseCommand (lingers) => new Linger(lingers)))).Array[1, 50];

    /// <summary>Somebody wants the image for a use in the container.</summary>
    public sealed record AcquireImage(int Holder, int Container) : LeaseCommand;

    /// <summary>An image of the fleet's, which the node has on its disk.</summary>
    public sealed record AcquireStored(int Holder, int Image, int Container) : LeaseCommand;

    /// <summary>Somebody removes an image of the fleet's.</summary>
    public sealed record DropStored(int Image) : LeaseCommand;

    public sealed record AcquireMount(int Holder, int Container) : LeaseCommand;

    /// <summary>A person wants the mount in a container, whatever becomes of sessions there.</summary>
    public sealed record MountForPerson(int Holder, int Container) : LeaseCommand;

    /// <summary>A person takes away the mount in a container, whoever asked for it; not while sessions use it.</summary>
    public sealed record UnmountForPerson(int Holder, int Container) : LeaseCommand;

    /// <summary>The node compares its leases with what the kernel has.</summary>
    public sealed record Reconcile : LeaseCommand;

    /// <summary>The holder gives back what it was granted last.</summary>
    public sealed record Release(int Holder) : LeaseCommand;

    /// <summary>The holder stops, and another takes its place.</summary>
    public sealed record Die(int Holder) : LeaseCommand;

    /// <summary>Something that the owners wait for is done, or cannot be done.</summary>
    /// <param name="Which">Of those that are under way, by name; beyond the last it begins at the first again.</param>
    public sealed record Finish(int Which, bool Succeeds) : LeaseCommand;

    /// <summary>The container's process ends.</summary>
    public sealed record Exit(int Container) : LeaseCommand;

    /// <summary>The container has a new process, whether the old one is known to have ended or not.</summary>
    public sealed record Restart(int Container) : LeaseCommand;

    /// <summary>The image's file is replaced by another.</summary>
    public sealed record ReplaceImage : LeaseCommand;

    /// <summary>Half of the time passes for which an image lingers, and all that a person's request may take until it mounts.</summary>
    public sealed record Wait : LeaseCommand;

    /// <summary>From now on images linger, or do so no more.</summary>
    public sealed record Linger(bool Lingers) : LeaseCommand;
}
