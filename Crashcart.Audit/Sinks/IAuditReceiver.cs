namespace Crashcart.Audit.Sinks;

/// <summary>Who takes lines of a log elsewhere.</summary>
internal interface IAuditReceiver : IDisposable
{
    /// <summary>One word, the same after a restart.</summary>
    string Name { get; }

    /// <summary>For people: what it is and where.</summary>
    string Place { get; }

    /// <summary>When this returns the receiver has them.</summary>
    /// <exception cref="ReceiverException">It did not take them, or not all.</exception>
    Task SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> lines, CancellationToken stop);
}

/// <param name="message">The end of a sentence.</param>
internal sealed class ReceiverException(string message, Exception? inner = null) : Exception(message, inner);
