namespace Crashcart.Native;

/// <summary>The label that a Linux security module gives a process: an AppArmor profile, or an SELinux context.</summary>
/// <param name="Module">As in <c>/proc/PID/attr/</c>.</param>
internal sealed record SecurityLabel(string Module, string Name)
{
    private const string AppArmor = "apparmor";
    private const string SELinux = "selinux";

    /// <summary>What a tool in the container gets; null when this host labels no processes, or the container is not confined.</summary>
    public static SecurityLabel? Of(TargetProcess target)
    {
        // Both are the running kernel's word, and not whether a file is there.
        if (ProcFile.TryRead("/sys/module/apparmor/parameters/enabled")?.StartsWith('Y') == true)
            return AppArmorOf(target.TryReadProc("attr/apparmor/current") ?? target.TryReadProc("attr/current") ?? "");
        if (File.Exists("/sys/fs/selinux/enforce"))
            return SELinuxOf(target.TryReadProc("attr/current") ?? "");
        return null;
    }

    /// <summary>For crashcart-enter.</summary>
    public override string ToString() => $"{Module}:{Name}";

    // "docker-default (enforce)"; a profile's own name may have spaces.
    private static SecurityLabel? AppArmorOf(string text)
    {
        string line = text.TrimEnd('\n', '\0');
        int mode = line.EndsWith(')') ? line.LastIndexOf(" (", StringComparison.Ordinal) : -1;
        string name = mode > 0 ? line[..mode] : line;
        return name is "" or "unconfined" ? null : new SecurityLabel(AppArmor, name);
    }

    private static SecurityLabel? SELinuxOf(string text)
    {
        string context = text.TrimEnd('\n', '\0');
        return context.Length == 0 || context == ProcFile.TryRead("/proc/self/attr/current")?.TrimEnd('\n', '\0') ? null : new SecurityLabel(SELinux, context);
    }
}
