using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>A volume at <c>/desk</c> with a directory for each use, so that the tools have a place to write to in every kind of container.</summary>
internal sealed class Desk : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private int _places;

    public Desk() => File.SetUnixFileMode(_directory.Path, (UnixFileMode)0x1ED); // 0755

    /// <summary>For <c>docker run</c>.</summary>
    public string[] DockerOptions => ["--volume", $"{_directory.Path}:/desk"];

    /// <summary>Makes a directory of the container's root, with the files in it that tools could be made to read.</summary>
    /// <returns>Its path in the container.</returns>
    public async Task<string> MakePlace(ContainerKind kind, Traps traps)
    {
        var name = Interlocked.Increment(ref _places).ToString(CultureInfo.InvariantCulture);
        var place = Directory.CreateDirectory(_directory[name]).FullName;
        await traps.PlantInDirectory(place);
        if (kind.Remapped)
            await new Command("chown", "-R", $"{DockerDaemon.RemappedId}:{DockerDaemon.RemappedId}", place).Output();
        return $"/desk/{name}";
    }

    /// <param name="place">What <see cref="MakePlace"/> returned.</param>
    public void RemovePlace(string place) => Directory.Delete(_directory[Path.GetFileName(place)], recursive: true);

    public ValueTask DisposeAsync() => _directory.DisposeAsync();
}
