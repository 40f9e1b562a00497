namespace Crashcart.Image.Tests;

public sealed class ScratchTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-scratch-");

    [Fact]
    public void It_goes_with_its_build()
    {
        using (var scratch = Scratch.Create(_directory.FullName))
            File.WriteAllText(Path.Combine(scratch.Path, "file"), "");
        Assert.Empty(_directory.EnumerateFileSystemInfos());
    }

    [Fact]
    public void That_of_a_killed_build_goes_when_the_next_begins_and_that_of_a_living_one_stays()
    {
        using var living = Scratch.Create(_directory.FullName);
        var dead = _directory.CreateSubdirectory("dead");
        dead.CreateSubdirectory("dev/crashcart");
        // Nobody holds it.
        File.WriteAllText(dead.FullName + ".lock", "");
        File.WriteAllText(Path.Combine(_directory.FullName, "dead-before-it-was-made.lock"), "");

        using var next = Scratch.Create(_directory.FullName);
        Assert.True(Directory.Exists(living.Path));
        Assert.Equal(new[] { living.Path, next.Path }.Order(), _directory.EnumerateDirectories().Select(d => d.FullName).Order());
        Assert.Equal(2, _directory.EnumerateFiles().Count());
    }

    [Fact]
    public void What_a_killed_build_left_beside_an_image_goes_when_that_image_is_built_again()
    {
        var image = Path.Combine(_directory.FullName, "x.img");
        var dead = image + ".0.partial";
        var anothers = Path.Combine(_directory.FullName, "y.img.0.partial");
        File.WriteAllText(dead, "");
        File.WriteAllText(anothers, "");
        using var living = PartialFile.Create(image);

        using (var next = PartialFile.Create(image))
        {
            Assert.Equal(
                new[] { anothers, living.Path, next.Path }.Order(), _directory.EnumerateFiles().Select(f => f.FullName).Order());
            File.WriteAllText(Path.Combine(_directory.FullName, "written"), "");
            next.Complete();
        }

        Assert.True(File.Exists(image));
    }

    /// <summary>Programs that make images must not put another file in the place of the one that is held.</summary>
    [Theory]
    [InlineData("erofs")]
    [InlineData("ext4")]
    [InlineData("squashfs")]
    public void An_image_is_held_while_it_is_made(string format)
    {
        var tree = _directory.CreateSubdirectory("tree");
        File.WriteAllText(Path.Combine(tree.FullName, "file"), "content");
        var image = Path.Combine(_directory.FullName, "x.img");
        FileSystem.Of(format).Pack(
            tree.FullName, [], image, null,
            () =>
            {
                PartialFile.Create(image).Dispose();
                Assert.Single(_directory.EnumerateFiles("*.partial"));
            },
            CancellationToken.None);
        Assert.Equal(["x.img"], _directory.EnumerateFiles().Select(f => f.Name));
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
