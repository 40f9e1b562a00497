namespace Crashcart.Actors.Policies;

/// <summary>What may be asked of a fleet.</summary>
public enum PolicyVerb
{
    /// <summary>Containers, and what is held in them: sessions, mounts.</summary>
    List,

    /// <summary>A tool in a container; <c>cp</c> and <c>fleet capture</c> are tools, too.</summary>
    Exec,

    /// <summary>An image in a container, for all of it.</summary>
    Mount,
    Unmount,

    /// <summary>The end of a session or a run, whoever started it.</summary>
    Kill,

    /// <summary>The list of nodes.</summary>
    Nodes,

    /// <summary>Whether a node takes sessions, and their end when it is drained.</summary>
    Cordon,

    /// <summary>The list of the fleet's images.</summary>
    Images,

    /// <summary>Images of the fleet's: new, and gone.</summary>
    Push,
    Remove,

    /// <summary>What the policy says, of anybody.</summary>
    Explain,

    /// <summary>The audit logs of coordinators and nodes.</summary>
    Audit,

    /// <summary>What was recorded of sessions, whoever had them.</summary>
    Recordings,
}

/// <summary>What a rule can be narrowed to.</summary>
[Flags]
public enum PolicyAspects
{
    None = 0,
    Nodes = 1,
    Labels = 2,
    Images = 4,
    Profiles = 8,
    Tools = 16,
}

public static class PolicyVerbs
{
    /// <summary>What there is to narrow a rule to.</summary>
    public static PolicyAspects Aspects(this PolicyVerb verb) => verb switch
    {
        PolicyVerb.Exec => PolicyAspects.Nodes | PolicyAspects.Labels | PolicyAspects.Images | PolicyAspects.Profiles | PolicyAspects.Tools,
        PolicyVerb.Mount => PolicyAspects.Nodes | PolicyAspects.Labels | PolicyAspects.Images,
        PolicyVerb.List or PolicyVerb.Unmount or PolicyVerb.Kill => PolicyAspects.Nodes | PolicyAspects.Labels,
        PolicyVerb.Nodes or PolicyVerb.Cordon or PolicyVerb.Audit or PolicyVerb.Recordings => PolicyAspects.Nodes,
        PolicyVerb.Images or PolicyVerb.Push or PolicyVerb.Remove => PolicyAspects.Images,
        _ => PolicyAspects.None,
    };

    /// <summary>As policies and people write it.</summary>
    public static string ToText(this PolicyVerb verb) => verb.ToString().ToLowerInvariant();
}
