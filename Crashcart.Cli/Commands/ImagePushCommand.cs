using System.CommandLine;
using System.Security.Cryptography;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Images;
using Crashcart.Cli.Output;
using Crashcart.Cli.Remote;
using Crashcart.Image;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart image push</c>: gives an image to the fleet.</summary>
internal static class ImagePushCommand
{
    public static Command Create()
    {
        var command = new Command("push", """
            Upload an image to the coordinator, under a name.

            Every coordinator finds it from then on, and a node fetches it when a tool first needs it. A name that
            another image had moves. What the coordinator has already is not sent again, and a push that broke goes
            on where it ended. Without a name it is the one that the image's manifest says, or else the file's.

            Example: crashcart image push crashcart.img toolbox:2.1
            """);
        var file = new Argument<string>("FILE");
        var name = new Argument<string>("NAME[:TAG]") { Arity = ArgumentArity.ZeroOrOne };
        var coordinator = CommonOptions.Coordinator();
        command.Add(file);
        command.Add(name);
        command.Add(coordinator);
        command.SetAction((parsed, _) => RunAsync(
            parsed.GetValue(file)!, parsed.GetValue(name), Settings.Coordinator(parsed.GetValue(coordinator))));
        return command;
    }

    private static async Task<int> RunAsync(string file, string? name, CoordinatorAddress address)
    {
        // Says what is wrong with the file before anything is sent.
        var size = ImageIdentity.Read(file).Size;
        if (name is null && NameOf(file, out name) is var status && status != ExitStatus.Success)
            return status;
        using var client = new CoordinatorClient(address);
        await using var image = File.OpenRead(file);
        var line = StatusLine.OnStandardError;
        PushDone done;
        bool sent;
        var digest = "";
        try
        {
            digest = await DigestAsync(image, file, size, line);
            var start = new PushStart { Name = name, Digest = digest, Size = size };
            var upload = new ImageUpload(
                client,
                count => line.Show(() => $"Pushing {start.Name}: {ByteSize.Of(count, size)}"),
                () => line.Show(() => $"Waiting for other pushes to {address.Text}"));
            (done, sent) = await upload.RunAsync(image, start);
        }
        finally
        {
            line.Clear();
        }

        if (!sent)
            StandardText.Error("The coordinator had the image already; nothing was sent.\n");
        if (done.Replaced.Length > 0)
            StandardText.Error(SafeText.Of($"{done.Name} was {ImageNames.Abbreviated(done.Replaced)} until now.") + "\n");
        StandardText.Output(SafeText.Of($"{done.Name} {digest}") + "\n");
        foreach (var silent in done.Unanswered)
            StandardText.Complain(SafeText.Of($"Coordinator {silent.Node} does not know of it yet: {silent.Message}"));
        return ExitStatus.Success;
    }

    /// <summary>As the image's manifest calls it, or else as the file is called.</summary>
    /// <returns>The exit status when there is no name.</returns>
    private static int NameOf(string file, out string name)
    {
        var found = "";
        var status = ImageReport.Of(file, (image, _) =>
        {
            found = ImageNames.From(ImageContents.AreIn(image.Root) ? ImageContents.Read(image.Root).Name : Path.GetFileNameWithoutExtension(file));
            return ExitStatus.Success;
        });
        name = found;
        return status == ExitStatus.NotVerified ? ExitStatus.Failed : status;
    }

    private static async Task<string> DigestAsync(FileStream image, string file, long size, StatusLine line)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        while (await image.ReadAsync(buffer) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            line.Show(() => $"Reading {file}: {ByteSize.Of(image.Position, size)}");
        }

        return "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
