namespace Crashcart.Actors.Node.Sessions;

/// <summary>How long a session waits for others.</summary>
/// <param name="Start">From the request until the tool runs; less than the coordinator waits, so that the reason gets there.</param>
/// <param name="Grace">From the polite signals to the kill, when somebody ended the session.</param>
/// <param name="OrphanGrace">The same, when nobody is left to read the tool's output.</param>
/// <param name="Drain">From the kill until the last output and the exit status must be out.</param>
internal sealed record SessionPatience(TimeSpan Start, TimeSpan Grace, TimeSpan OrphanGrace, TimeSpan Drain)
{
    public static readonly SessionPatience Default =
        new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(3));
}
