using Crashcart.Coordinator.Tests.Doubles;

namespace Crashcart.Coordinator.Tests.Images;

/// <summary>What a coordinator has of images on its disk.</summary>
internal static class Shelf
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Names of files of images, whole and half ones.</summary>
    public static IEnumerable<string> Of(TestCoordinator coordinator) => Directory.Exists(Folder(coordinator))
        ? Directory.EnumerateFiles(Folder(coordinator), "sha256-*").Select(Path.GetFileName).Order(StringComparer.Ordinal)!
        : [];

    /// <summary>Names of files by which images are locked.</summary>
    public static IEnumerable<string> Locks(TestCoordinator coordinator) =>
        Directory.Exists(Folder(coordinator)) ? Directory.EnumerateFiles(Folder(coordinator), ".sha256-*") : [];

    public static string Whole(TestImage image) => FileOf(image, "img");

    /// <summary>Returns when so many bytes of the image have arrived.</summary>
    public static async Task ArrivesAsync(TestCoordinator coordinator, TestImage image, long bytes)
    {
        var half = new FileInfo(Path.Combine(Folder(coordinator), FileOf(image, "partial")));
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!half.Exists || half.Length < bytes)
        {
            await timer.WaitForNextTickAsync(patience.Token);
            half.Refresh();
        }
    }

    private static string Folder(TestCoordinator coordinator) => Path.Combine(coordinator.StateDirectory, "images");

    private static string FileOf(TestImage image, string ending) => $"{image.Digest.Replace(':', '-')}.{ending}";
}
