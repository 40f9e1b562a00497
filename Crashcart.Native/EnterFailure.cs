using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Turns the stage and errno that crashcart-enter failed with into a sentence. The one place where that is done.</summary>
internal static class EnterFailure
{
    /// <param name="failed">A <see cref="EnterMessageKind.Failed"/> message.</param>
    /// <param name="target">Whose container was entered.</param>
    /// <param name="spec">The tool; null when only a mount was attached or detached.</param>
    public static CrashcartException Describe(EnterMessage failed, TargetProcess target, ToolSpec? spec)
    {
        string[] text = failed.Text.Split('\0');
        string stage = text[0], detail = text.Length > 1 ? text[1] : "";
        int error = failed.A;
        string why = SyscallException.Describe(error);
        string container = $"the container of process {target.Pid}";
        (FailureReason reason, string sentence) = stage switch
        {
            "join" when error == ESRCH => (
                FailureReason.TargetGone, $"Process {target.Pid} ended before its container could be entered: look for it again."),
            "join" => (
                Reason(error), $"The {detail} of process {target.Pid} cannot be joined ({why}): run as root in the host's namespaces."),
            "root" => (
                FailureReason.TargetHostile, $"The root directory of {container} cannot be entered ({why}): look at its root file system."),
            "dev" => (FailureReason.TargetHostile, Dev(container, error, why)),
            "mount-point" => (FailureReason.TargetHostile, MountPoint($"/dev/{detail}", container, error, why)),
            "private" => (
                Reason(error), $"No private mount can be built in {container} ({detail}: {why}): try the shared mount with --shared."),
            "attach" => (
                error == EBUSY ? FailureReason.Busy : Reason(error),
                $"The image cannot be mounted at /dev/{detail} in {container} ({why}): unmount what is there first."),
            "replaced" => (
                FailureReason.TargetHostile,
                $"{SharedMount.Path} in {container} is not the toolbox any more, for something there moved /dev or mounted over it: "
                + "look at what changes its /dev, and try again."),
            "detach" => (
                error == EBUSY ? FailureReason.Busy : Reason(error),
                $"/dev/{detail} in {container} cannot be unmounted ({why}): end what uses it, or use --force."),
            "terminal" => (
                FailureReason.TargetHostile, $"No terminal can be opened in {container} ({detail}: {why}): run the tool without one (-T)."),
            "user" => (FailureReason.BadRequest, User(container, detail, error, why)),
            "capabilities" => (
                Reason(error), $"The tool's capabilities cannot be set ({detail}: {why}): choose another profile, or run with more privilege."),
            "label" => (
                Reason(error), $"The tool cannot be given the label of {container} ({detail}: {why}): look at the security module's log, or run it with --profile privileged."),
            "cwd" => (
                FailureReason.BadRequest, $"The directory '{detail}' cannot be entered in {container} ({why}): name another with -w."),
            "exec" => Exec(container, spec?.Arguments[0] ?? detail, error, why),
            "cgroup" => (
                Reason(error), $"The tool cannot be put into a cgroup of its own ({detail}: {why}): look at /sys/fs/cgroup and the limits."),
            "spawn" => (Reason(error), $"The tool cannot be started in {container} ({detail}: {why}): look at the limits of processes and memory."),
            _ => (FailureReason.System, $"crashcart-enter did not understand its request ({stage}, {detail}: {why}): build Crashcart again."),
        };
        return new CrashcartException(reason, sentence, new SyscallException(stage, error, detail));
    }

    private static FailureReason Reason(int error) =>
        error == EPERM || error == EACCES ? FailureReason.NotPermitted : FailureReason.System;

    private static string Dev(string container, int error, string why) =>
        error == ENOENT
            ? $"There is no /dev directory in {container}, and the toolbox is mounted there: make one."
            : IsNoPlainDirectory(error)
                ? $"/dev in {container} is no plain directory ({why}), and Crashcart follows no links there: make it a directory."
                : error == E2BIG
                    ? $"/dev in {container} cannot be copied for the tool, for there is too much in it: use the shared mount (--shared)."
                    : $"/dev in {container} cannot be opened ({why}): look at what is mounted there.";

    private static string MountPoint(string path, string container, int error, string why) =>
        error == EXDEV
            ? $"Something that is not Crashcart's is mounted at {path} in {container}: unmount it, or use the private mount."
            : IsNoPlainDirectory(error)
                ? $"{path} in {container} is no plain directory ({why}), and Crashcart follows no links there: "
                    + "remove it, or use the private mount."
                : $"{path} cannot be made in {container} ({why}): use the private mount.";

    private static bool IsNoPlainDirectory(int error) => error == ELOOP || error == ENOTDIR;

    private static string User(string container, string name, int error, string why) =>
        error == ENOENT
            ? $"There is no user or group '{name}' in {container}: name one of its /etc/passwd and /etc/group, or give numbers."
            : error == EINVAL
                ? $"User '{name}' does not exist in the user namespace of {container}: give a number that it maps."
                : $"The tool cannot run as '{name}' in {container} ({why}): name another user.";

    private static (FailureReason, string) Exec(string container, string tool, int error, string why)
    {
        if (error == ENOENT && tool.Contains('/'))
        {
            return (
                FailureReason.ToolNotFound,
                $"There is no '{tool}' in {container}, or its interpreter is missing: the toolbox's are in {SharedMount.Path}/bin.");
        }
        if (error == ENOENT)
        {
            return (
                FailureReason.ToolNotFound,
                $"There is no tool '{tool}' in the toolbox or on the PATH of {container}: 'ls {SharedMount.Path}/bin' shows what there is.");
        }
        string hint = error == ENOEXEC ? "it is of another architecture, or a script without #!"
            : error == E2BIG ? "shorten its arguments or environment"
            : "look at its permissions";
        return (FailureReason.ToolNotExecutable, $"'{tool}' in {container} cannot be executed ({why}): {hint}.");
    }
}
