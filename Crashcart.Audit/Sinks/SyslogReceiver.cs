using System.Globalization;
using System.Text;

namespace Crashcart.Audit.Sinks;

/// <summary>The host's syslog by its datagram socket, a message of RFC 5424 a line.</summary>
/// <param name="application">APP-NAME.</param>
internal sealed class SyslogReceiver(string path, string application) : IAuditReceiver
{
    private readonly LocalDatagrams _socket = new(path);

    public string Name => "syslog";

    public string Place => "syslog at " + path;

    public async Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> lines, CancellationToken stop)
    {
        foreach (ReadOnlyMemory<byte> line in lines)
        {
            if (!await _socket.SendAsync(Message(line, LineFacts.Of(line)), stop).ConfigureAwait(false))
                await _socket.SendAsync(Message(LineFacts.Shorten(line), LineFacts.Of(line)), stop).ConfigureAwait(false);
        }
    }

    public void Dispose() => _socket.Dispose();

    private byte[] Message(ReadOnlyMemory<byte> text, LineFacts facts) =>
    [
        .. Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"<{(LineFacts.Facility * 8) + facts.Severity}>1 {facts.Time} {Environment.MachineName} {application} {Environment.ProcessId} {facts.Event} - ")),
        .. text.Span,
    ];
}
