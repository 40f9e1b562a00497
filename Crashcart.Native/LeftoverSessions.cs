namespace Crashcart.Native;

/// <summary>Sessions whose process and guardian were both killed: only their cgroups tell of them.</summary>
public static class LeftoverSessions
{
    /// <summary>Kills what is left of an owner's sessions and removes their cgroups.</summary>
    /// <param name="owner">First part of the sessions' names. The caller makes sure that no live process uses it.</param>
    /// <returns>The names of the sessions.</returns>
    public static async Task<IReadOnlyList<string>> RemoveAsync(string owner)
    {
        IReadOnlyList<CgroupHierarchy> hierarchies = CgroupHierarchy.ReadOwn();
        string[] names = [.. hierarchies.SelectMany(hierarchy => Sessions(hierarchy, owner)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        foreach (string name in names)
        {
            SessionCgroup session = SessionCgroup.Find(hierarchies, name);
            await session.EmptyAndRemoveAsync().ConfigureAwait(false);
        }
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
