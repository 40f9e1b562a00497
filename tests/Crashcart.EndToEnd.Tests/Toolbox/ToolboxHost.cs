using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>The local host, and one whose containers have user namespaces, with an image of every kind and all traps set.</summary>
public sealed class ToolboxHost(LocalHost local) : IAsyncLifetime
{
    private readonly TemporaryDirectory _roots = TemporaryDirectory.Create();
    private readonly RemappedHost _remapped = new();
    private Lab _lab = null!;

    internal Desk Desk { get; } = new();

    internal string Image => local.Image;

    internal IReadOnlyList<string> Promises { get; private set; } = [];

    internal IReadOnlyList<string> FullPromises { get; private set; } = [];

    internal Traps Traps { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var remapped = _remapped.InitializeAsync();
        Promises = await Toolbox.Promises.Read(local, local.Image);
        FullPromises = await Toolbox.Promises.Read(local, Artifacts.FullImage);
        Traps = await Traps.Set(Promises.Union(FullPromises));
        _lab = await Lab.Open();
        var images = await KindImages.Make(_roots, Traps);
        await remapped;
        foreach (var (name, root) in images)
        {
            await TestImages.Import(local.Docker, root, name, """CMD ["/app"]""");
            await TestImages.Import(_remapped.Docker, root, name, """CMD ["/app"]""");
        }
    }

    public async Task DisposeAsync()
    {
        await _remapped.DisposeAsync();
        await _lab.DisposeAsync();
        await Traps.DisposeAsync();
        await Desk.DisposeAsync();
        await _roots.DisposeAsync();
    }

    /// <summary>A container with all traps set.</summary>
    internal Task<UseBox> Open(string image, UsePlace place) =>
        UseBox.Open(place.Kind.Remapped ? _remapped : local, image, place, [.. Traps.DockerOptions, .. _lab.DockerOptions, .. Desk.DockerOptions]);
}
