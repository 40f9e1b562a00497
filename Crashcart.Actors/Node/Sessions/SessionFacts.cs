namespace Crashcart.Actors.Node.Sessions;

/// <summary>What of a session is everybody's to know who may see it.</summary>
/// <param name="Tool">Without its arguments.</param>
/// <param name="Shared">It uses the mount that everything in the container sees.</param>
/// <param name="SinceUnixMs">Milliseconds since 1970-01-01 UTC.</param>
/// <param name="LoopDevice">Empty until it has its image.</param>
/// <param name="ImageKey">As <see cref="Ports.ImageFile.Key"/>; empty until it has its image.</param>
internal sealed record SessionFacts(
    SessionId Id, RunId Run, ContainerId Container, string Tool, bool Shared, long SinceUnixMs, string LoopDevice, string ImageKey)
{
    public static SessionFacts Of(SessionRequest request, DateTimeOffset now) => new(
        new SessionId(request.Id),
        new RunId(request.Start.RunId),
        new ContainerId(request.Start.ContainerId),
        request.ToolName,
        request.Start.Tool.Shared,
        now.ToUnixTimeMilliseconds(),
        LoopDevice: "",
        ImageKey: "");
}
