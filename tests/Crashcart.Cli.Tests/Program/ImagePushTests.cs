using Crashcart.Api;

namespace Crashcart.Cli.Tests.Program;

/// <summary>What an image is called that its user gives no name.</summary>
[Collection(AsNobody.Name)]
public sealed class ImagePushTests(Nobody nobody) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-push-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task It_is_what_its_manifest_says()
    {
        var renamed = Path.Combine(_directory.FullName, "Something Else.img");
        File.Copy(nobody.Image, renamed);

        Assert.Equal("tiny", await PushedAsync(renamed));
    }

    [Fact]
    public async Task Without_a_manifest_it_is_the_file_s()
    {
        var image = Path.Combine(_directory.FullName, "Net Tools.img");
        var tree = _directory.CreateSubdirectory("tree").FullName;
        using (var made = CliProcess.StartProgram("mkfs.erofs", [image, tree]))
            Assert.Equal(0, (await made.ResultAsync()).Status);

        Assert.Equal("net-tools", await PushedAsync(image));
    }

    private static async Task<string> PushedAsync(string image)
    {
        var start = new TaskCompletionSource<PushStart>();
        await using var coordinator = await FakeCoordinator.StartAsync(async conversation =>
        {
            start.SetResult((await conversation.ReceiveAsync<PushInput>()).Start);
            await conversation.SendAsync(new PushEvent { Ready = new PushReady { Offset = new FileInfo(image).Length } });
            await conversation.SendAsync(new PushEvent { Done = new PushDone { Name = "x:latest" } });
        });
        var (status, _, errors) = await CliProcess.RunAsync(["image", "push", image, "--coordinator", coordinator.Address]);
        Assert.True(status == 0, errors);
        return (await start.Task).Name;
    }
}
