using Crashcart.Cli.Commands;
using Crashcart.Cli.Local;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>A container on this host, without any daemon.</summary>
internal sealed class LocalCopyHost : ICopyHost
{
    private readonly TargetProcess _target;
    private readonly AttachedImage _image;

    private LocalCopyHost(TargetProcess target, AttachedImage image)
    {
        _target = target;
        _image = image;
    }

    /// <exception cref="CrashcartException">There is no such container, or no such image.</exception>
    public static async Task<LocalCopyHost> OpenAsync(string target, string image)
    {
        var process = (await LocalTarget.FindAsync(target)).Open();
        try
        {
            return new LocalCopyHost(process, AttachedImage.Attach(image));
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    public async Task<int> RunAsync(SessionRequest request, Func<Stream, Task>? input, Stream output, Stream errors)
    {
        using var signals = new SessionSignals(early: false);
        await using var tool = await ToolProcess.StartAsync(
            _target, _image, request.ToSpec(default), input is null ? ToolStreams.OutputPipes : ToolStreams.Pipes, signals.Early);
        signals.GoTo(tool);
        if (input is not null)
            _ = WriteAsync(input, tool.StandardInput!);
        var said = tool.StandardError!.CopyToAsync(errors);
        await tool.StandardOutput!.CopyToAsync(output);
        await said;
        return (await tool.Exited).Code;
    }

    public void Dispose()
    {
        _image.Dispose();
        _target.Dispose();
    }

    private static async Task WriteAsync(Func<Stream, Task> input, Stream tool)
    {
        await using (tool)
        {
            try
            {
                await input(tool);
            }
            catch (SyscallException e) when (e.Call == "write")
            {
                // The tool reads no more; its exit status tells why.
            }
        }
    }
}
