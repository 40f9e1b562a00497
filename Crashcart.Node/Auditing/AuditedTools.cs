using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;

namespace Crashcart.Node.Auditing;

/// <summary>Tools whose start is in the audit log before it happens, and whose end when it has.</summary>
internal sealed class AuditedTools(ITools tools, AuditLog log) : ITools
{
    public async Task<ITool> StartAsync(StartSession request, ITarget target, IAttachedImage image, CancellationToken cancellation)
    {
        await log.RequireAsync(NodeEvents.Of("session.start", request, image)).ConfigureAwait(false);
        var end = NodeEvents.Of("session.end", request, image) with { Arguments = [], Environment = [], Reason = "" };
        try
        {
            return new AuditedTool(await tools.StartAsync(request, target, image, cancellation).ConfigureAwait(false), log, end);
        }
        catch (Exception e)
        {
            log.Note(end with { Problem = e.Message });
            throw;
        }
    }
}

/// <param name="end">What the log says when the tool is over, but for how it ended.</param>
internal sealed class AuditedTool(ITool tool, AuditLog log, AuditEvent end) : ITool
{
    public Stream? StandardInput => tool.StandardInput;

    public Stream StandardOutput => tool.StandardOutput;

    public Stream? StandardError => tool.StandardError;

    public Task<int> Exited => tool.Exited;

    public string WhyExited => tool.WhyExited;

    public void CloseInput() => tool.CloseInput();

    public void Signal(int signal) => tool.Signal(signal);

    public void Resize(int rows, int columns) => tool.Resize(rows, columns);

    public void Kill() => tool.Kill();

    public async ValueTask DisposeAsync()
    {
        try
        {
            await tool.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            log.Note(end with { ExitCode = tool.Exited.IsCompletedSuccessfully ? await tool.Exited.ConfigureAwait(false) : null, Problem = tool.WhyExited });
        }
    }
}
