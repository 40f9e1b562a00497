using System.Globalization;
using System.Text;

namespace Crashcart.Audit.Sinks;

/// <summary>journald by its own protocol, sd_journal_send(3), an entry a line.</summary>
/// <param name="application">SYSLOG_IDENTIFIER.</param>
internal sealed class JournalReceiver(string path, string application) : IAuditReceiver
{
    private readonly LocalDatagrams _socket = new(path);

    public string Name => "journald";

    public string Place => "journald at " + path;

    public async Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> lines, CancellationToken stop)
    {
        foreach (ReadOnlyMemory<byte> line in lines)
        {
            if (!await _socket.SendAsync(Entry(line, LineFacts.Of(line)), stop).ConfigureAwait(false))
                await _socket.SendAsync(Entry(LineFacts.Shorten(line), LineFacts.Of(line)), stop).ConfigureAwait(false);
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Neither a line nor a word of it has a newline, which would end a field.</summary>
    private byte[] Entry(ReadOnlyMemory<byte> text, LineFacts facts) =>
    [
        .. Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            PRIORITY={facts.Severity}
            SYSLOG_FACILITY={LineFacts.Facility}
            SYSLOG_IDENTIFIER={application}
            CRASHCART_EVENT={facts.Event}
            CRASHCART_SEQ={facts.Number}
            MESSAGE=
            """)),
        .. text.Span,
        (byte)'\n',
    ];
}
