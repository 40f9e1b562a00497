using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>A log of one line, the question.</summary>
internal sealed class ScriptedAudit : IAuditLines
{
    public Task<IReadOnlyList<string>> FindAsync(FindAudit question) => Task.FromResult<IReadOnlyList<string>>([question.User]);
}
