using Crashcart.Api;
using Google.Protobuf;

namespace Crashcart.Cli.Tests.Program;

public sealed class RecordingExportTests
{
    [Fact]
    public async Task Interrupted_it_leaves_no_file()
    {
        var directory = Directory.CreateTempSubdirectory("crashcart-export-");
        await using var coordinator = await FakeCoordinator.StartAsync(async conversation =>
        {
            await conversation.SendAsync(new RecordingPart { Info = new RecordingInfo { Id = "s1", State = "finished" } });
            await conversation.SendAsync(new RecordingPart { Data = ByteString.CopyFromUtf8("half of it") });
            await Task.Delay(Timeout.Infinite, conversation.Gone).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        using var begun = new FileSystemWatcher(directory.FullName);
        var isBegun = new TaskCompletionSource();
        begun.Created += (_, _) => isBegun.TrySetResult();
        begun.EnableRaisingEvents = true;

        using var export = CliProcess.Start("recordings", "export", "s1", Path.Combine(directory.FullName, "session.cast"), "--coordinator", coordinator.Address);
        await isBegun.Task.WaitAsync(TimeSpan.FromSeconds(20));
        export.Signal("INT");

        Assert.Equal((130, "", ""), await export.ResultAsync());
        Assert.Empty(directory.GetFiles());
        directory.Delete();
    }
}
