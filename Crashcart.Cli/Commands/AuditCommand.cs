using System.CommandLine;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart audit</c>: who did what.</summary>
internal static class AuditCommand
{
    public static Command Create() => new("audit", "Look into the audit logs of coordinators and nodes, and check that they are whole.")
    {
        AuditListCommand.Create(),
        AuditVerifyCommand.Create(),
        AuditSinksCommand.Create(),
    };
}
