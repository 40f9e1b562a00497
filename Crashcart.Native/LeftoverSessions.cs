namespace Crashcart.Native;

/// <summary>Sessions whose process and guardian were both killed: only their cgroups tell of them.</summary>
public static class LeftoverSessions
{
    /// <summary>The names, OWNER/SESSION, of the sessions that have a cgroup.</summary>
    /// <param name="owner">First part of the sessions' names.</param>
    public static IReadOnlyList<string> Find(string owner) =>
        [.. CgroupHierarchy.ReadOwn().SelectMany(hierarchy => Sessions(hierarchy, owner)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>Kills what is left of a session and removes its cgroups.</summary>
    /// <param name="name">As <see cref="Find"/> has it. The caller makes sure that no live process uses it.</param>
    public static Task RemoveSessionAsync(string name) =>
        SessionCgroup.Find(CgroupHierarchy.ReadOwn(), name).EmptyAndRemoveAsync();

    /// <summary>Kills what is left of an owner's sessions and removes their cgroups.</summary>
    /// <param name="owner">First part of the sessions' names. The caller makes sure that no live process uses it.</param>
    /// <returns>The names of the sessions.</returns>
    public static async Task<IReadOnlyList<string>> RemoveAsync(string owner)
    {
        IReadOnlyList<string> names = Find(owner);
        foreach (string name in names)
            await RemoveSessionAsync(name).ConfigureAwait(false);
        return names;
    }

    private static IEnumerable<string> Sessions(CgroupHierarchy hierarchy, string owner)
    {
        string directory = Path.Join(hierarchy.MountPoint, CgroupHierarchy.Parent, owner);
        return Directory.Exists(directory)
            ? Directory.EnumerateDirectories(directory).Select(path => $"{owner}/{Path.GetFileName(path)}")
            : [];
    }
}
