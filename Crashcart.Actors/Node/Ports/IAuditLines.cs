using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>The node's own audit log, to be read.</summary>
public interface IAuditLines
{
    /// <summary>The newest lines that are asked for, as many as one answer holds.</summary>
    /// <exception cref="NodeException">The log cannot be read.</exception>
    Task<IReadOnlyList<string>> FindAsync(FindAudit question);
}
