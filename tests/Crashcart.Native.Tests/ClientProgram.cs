using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Native.Tests;

/// <summary>A process of its own that holds what a test wants to see survive, or vanish with, its sudden death.</summary>
internal static class ClientProgram
{
    /// <summary>Holds an image until it is killed: <c>hold IMAGE</c>. Runs a tool: <c>run PID IMAGE SESSION shared|private SCRIPT</c>.
    /// Says what a session of its own is called: <c>name</c>.</summary>
    public static async Task<int> Main(string[] args)
    {
        switch (args[0])
        {
            case "hold":
                using (AttachedImage image = AttachedImage.Attach(args[1]))
                {
                    Console.WriteLine(image.LoopDevice);
                    await Task.Delay(Timeout.Infinite);
                }
                return 0;
            case "run":
                using (TargetProcess target = TargetProcess.Open(int.Parse(args[1], CultureInfo.InvariantCulture)))
                using (AttachedImage image = AttachedImage.Attach(args[2]))
                {
                    var spec = new ToolSpec { Arguments = ["sh", "-c", args[5]], SessionName = args[3], Shared = args[4] == "shared" };
                    await using ToolProcess tool = await ToolProcess.StartAsync(target, image, spec, ToolStreams.Inherit);
                    return (await tool.Exited).Code;
                }
            case "name":
                Console.WriteLine(ToolSpec.NameOfThisProcess);
                await Console.In.ReadToEndAsync();
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>Starts it with standard input and output piped.</summary>
    public static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [typeof(ClientProgram).Assembly.Location, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    /// <summary>kill -9, and waits for the end.</summary>
    public static void KillNow(this Process process)
    {
        process.Kill();
        process.WaitForExit();
    }
}
