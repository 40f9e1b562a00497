using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;

namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>Images of the fleet's on the node's disk. One that was removed is there again when it is looked for.</summary>
internal sealed class StoredWorld(LeaseWorld world) : IStoredImages
{
    public long Limit => long.MaxValue;

    public static WantedImage Wanted(int image) => ScriptedStoredImages.Wanted(Digit(image));

    public static string Name(int image) => Name(ScriptedStoredImages.Digest(Digit(image)));

    public static string Name(ImageDigest digest) => "stored-" + digest.Hex[0];

    public Task<ImageFile?> FindAsync(ImageDigest digest, CancellationToken cancellation) =>
        world.Begin<ImageFile?>("find " + Name(digest), () => new ImageFile("/images/" + digest.Hex, Name(digest), 400, digest));

    public Task<bool> RemoveAsync(ImageDigest digest)
    {
        if (world.Owned.Contains("detach " + Name(digest)))
            world.Violations.Add($"{Name(digest)} is removed while it is attached.");
        return world.Begin("remove " + Name(digest), () => true);
    }

    public Task FetchAsync(WantedImage image, Action<long> received, CancellationToken cancellation) => throw new NotSupportedException();

    public Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellation) => throw new NotSupportedException();

    private static char Digit(int image) => (char)('a' + image);
}
