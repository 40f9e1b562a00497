namespace Crashcart.Image;

/// <summary>What a check found, all at once: a person does not want to build once for each.</summary>
internal static class Faults
{
    /// <exception cref="ImageBuildException">There is one.</exception>
    public static void Throw(IReadOnlyList<string> faults)
    {
        if (faults.Count > 0)
            throw new ImageBuildException($"The image would not work:\n  {string.Join("\n  ", faults)}");
    }
}
