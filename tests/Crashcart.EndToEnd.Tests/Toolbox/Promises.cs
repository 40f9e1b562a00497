using System.Text.Json;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>The tools that an image says it has.</summary>
internal static class Promises
{
    /// <summary>Reads them where a person finds them: in the image's manifest, in a container.</summary>
    public static async Task<IReadOnlyList<string>> Read(LocalHost host, string image)
    {
        await using var box = await host.Docker.RunScratch();
        using var manifest = JsonDocument.Parse(await host.Crashcart("exec", "-i", image, box.PidText, "cat", "/dev/crashcart/manifest.json").Output());
        return [.. manifest.RootElement.GetProperty("promises").EnumerateArray().Select(name => name.GetString()!)];
    }
}
